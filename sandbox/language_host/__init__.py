"""A Python language host for the Pulumi engine, for where the official one cannot be downloaded.

The engine starts `pulumi-language-python` and speaks the ``LanguageRuntime`` gRPC service with it
(https://www.pulumi.com/docs/iac/concepts/how-pulumi-works/#language-hosts): run this program, run this
plugin, which packages does it need. The official host is not published as a Go module, so where Pulumi is
built from Go modules, this one stands in. It covers programs, dynamic providers and policy packs, with the
``virtualenv`` option of `Pulumi.yaml`; what it does not cover it refuses by name.

`sandbox.toolchain` packs this package into one archive beside `pulumi`; it imports nothing but the standard
library, grpcio and pulumi.
"""
