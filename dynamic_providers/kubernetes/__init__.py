"""What the platform needs of a Kubernetes cluster beyond what Pulumi's own provider does."""
