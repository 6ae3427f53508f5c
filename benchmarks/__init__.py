"""What a command costs at N connections, against the same number of resources that do nothing."""
