"""What Airbyte's Helm chart does with its values, told as data: one file a minor version.

The chart declares keys that nothing reads, and reads keys that it does not declare; Helm accepts either in silence.
"""

from components.airbyte_platform.chart.check import check_values
from components.airbyte_platform.chart.table import ChartTable, load_table, supported_minors

__all__ = ["ChartTable", "check_values", "load_table", "supported_minors"]
