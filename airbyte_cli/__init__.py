"""The command line beside `pulumi`: what concerns pipeline files rather than a stack."""
