"""The Kubernetes stand-in: any object that the API server knows, and releases of Helm.

Types are ``kubernetes:GROUP/VERSION:Kind``, found by discovery, and ``kubernetes:helm.sh/v3:Release``, made with the
`helm` on PATH. State has the shape of the official plugin's, so that a stack can go on with either.

As in the official plugin (https://github.com/pulumi/pulumi-kubernetes, whose source of mid-2026 is what this follows):

- What is new is created by a plain request, so that what exists is refused; updates are server-side applies under a
  field manager of the resource's own, which take over what the create and `kubectl` wrote. Fields that another manager
  holds are a conflict unless ``pulumi.com/patchForce`` or ``enablePatchForce`` says otherwise.
- A live object is compared where it was declared, so keys and list elements that somebody *adds* are no difference;
  see :mod:`~sandbox.plugins.kubernetes.shape`.
- The data of Secrets and ConfigMaps replaces them, unless the provider is told that they are mutable.
- A preview asks the API server (a dry run), except for what depends on something that does not exist yet. A dry run
  takes nothing over, so it conflicts with `kubectl edit` unless force is asked for.
- A release sees drift of its own record only, never of the objects that it installed. An upgrade without any values
  keeps those of the revision before, as `helm upgrade` does.

Where it differs:

- Less is awaited; see :mod:`~sandbox.plugins.kubernetes.readiness`. ``pulumi.com/waitFor`` is refused.
- A field that the API server does not know is an error; the official plugin drops it.
- Only server-side apply is known; Patch and List types, components (``helm.sh/v4:Chart``, ``yaml/v2``, ``kustomize``)
  and functions are refused by name.
- There is no schema of the types, so `pulumi import` needs ``--generate-code=false``; the option ``import_`` does not.
- A release's options are in state only when they are declared.
- A killed engine is noticed within a second, and helm stopped. The official plugin looks every five minutes, and then
  lets helm finish. What a kill of the plugin leaves is the same with both: a pending release, which only `helm` mends.
"""
