"""``airbyte-cli connectors``: which pinned connector versions are behind, and moving the pins.

- ``pinned`` reads who pins what; ``pins_file`` edits connectors.yaml;
- ``registry_file`` and ``server`` are the two sources of what versions there are, ``facts`` puts them together;
- ``outdated`` makes the report and ``report_text`` prints it; ``upgrade`` decides which pins may move;
- ``versions`` compares version numbers; ``commands`` is the command line.
"""
