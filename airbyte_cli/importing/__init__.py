"""``airbyte-cli import``: pipeline files for a workspace that was made by hand.

- ``snapshot`` reads the workspace, and changes nothing in it;
- ``actors`` and ``connections`` put its objects into the words of a pipeline file, ``names`` names what has no name;
- ``definitions`` says how a program declares connectors of one's own;
- ``proof`` reads the files back and compares them with the workspace as adoption will;
- ``report`` says what no file could express; ``files`` writes everything, or nothing; ``commands`` is the command line.
"""
