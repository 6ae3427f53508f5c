"""Pulumi dynamic providers: what no packaged provider manages well."""
