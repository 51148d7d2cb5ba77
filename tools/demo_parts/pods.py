"""Plays the pods of a release on this machine: what a kubelet does, as far as a loader and its
application can tell.

Each container runs in a root folder of its own (chroot), as the user 65534, without privileges,
with the environment, the mounts and the service account token that the API server's objects give
it. The network is the host's. Volumes are folders that move from one container's root to the next
one's, so that no mount is needed, which many sandboxes forbid.
"""

import base64
import os
import pathlib
import re
import shutil
import subprocess

import yaml
from servers import ServerError

USER = 65534
TOKEN_VOLUME = ".token"
TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
LOADER = "/opt/harness/secrets-manager"
DEADLINE_SECONDS = 120


def pods_of(manifests):
    """(service, workload, pod spec) of each workload in the YAML MANIFESTS that has a loader."""
    for manifest in yaml.safe_load_all(manifests):
        spec = (manifest or {}).get("spec") or {}
        if manifest and manifest["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        pod = (spec.get("template") or {}).get("spec") or {}
        if any(one["command"] == [LOADER] for one in pod.get("initContainers", [])):
            metadata = manifest["metadata"]
            claims = [
                {"name": one["metadata"]["name"], "emptyDir": {}}
                for one in spec.get("volumeClaimTemplates", [])
            ]
            volumes = [*pod.get("volumes", []), *claims]
            service = metadata["labels"]["app.kubernetes.io/name"]
            yield service, metadata["name"], {**pod, "volumes": volumes}


def expand(text, variables):
    """$(NAME) in commands and values, as the kubelet does it: unknown names stay, $$ becomes $."""

    def one(match):
        return "$" if match[0] == "$$" else variables.get(match[1], match[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", one, text)


class Node:
    """The machine that plays pods.

    folder       a private folder for the containers' roots
    loader       the static loader program, which the loader's image consists of
    kubernetes   the API server with the release's objects, in `namespace`
    """

    def __init__(self, folder, loader, kubernetes, namespace):
        self._folder = pathlib.Path(folder)
        self._folder.mkdir(parents=True)
        self._kubernetes = kubernetes
        self._namespace = namespace
        self._images = {
            True: self._folder / "loader-image",
            False: self._folder / "application-image",
        }
        program = self._images[True] / LOADER.lstrip("/")
        program.parent.mkdir(parents=True)
        shutil.copy(loader, program)
        self._make_application_image(self._images[False])

    def play(self, pod, spec, configuration=None, only_loader=False):
        """Runs the pod's containers in turn; yields (container's name, exit code, output, root).

        A container's root, with its volumes, is there until the next one is asked for. The first
        failure ends the pod. CONFIGURATION replaces the loader's, ONLY_LOADER ends after it.
        """
        home = self._folder / pod
        volumes = home / "volumes"
        volumes.mkdir(parents=True)
        for volume in spec["volumes"]:
            self._make_volume(volumes / volume["name"], volume)
        if configuration is not None:
            shutil.rmtree(volumes / "secrets-loader-config")
            self._fill(
                volumes / "secrets-loader-config", {"config.yaml": configuration.encode()}, 0o444
            )
        self._fill(
            volumes / TOKEN_VOLUME,
            {
                "token": self._kubernetes.issue_token(
                    self._namespace, spec["serviceAccountName"]
                ).encode(),
                "namespace": self._namespace.encode(),
                "ca.crt": pathlib.Path(self._kubernetes.ca_cert).read_bytes(),
            },
            0o444,
        )
        containers = [*spec["initContainers"], *spec["containers"]]
        for container in containers[:1] if only_loader else containers:
            root = home / container["name"]
            shutil.copytree(
                self._images[container["command"] == [LOADER]],
                root,
                symlinks=True,
                copy_function=os.link,
            )
            moved = self._mount(root, volumes, container.get("volumeMounts", []))
            done = self._run(root, pod, container)
            yield container["name"], done.returncode, done.stdout, root
            for place, volume in moved:
                place.parent.chmod(0o755)
                place.rename(volume)
            if done.returncode != 0:
                return

    def run_in(self, root, command, variables=None):
        """Runs COMMAND in ROOT as an unprivileged container does; its output is text."""
        if os.geteuid() == 0:
            enter = [
                shutil.which("setpriv"),
                "--no-new-privs",
                shutil.which("chroot"),
                f"--userspec={USER}:{USER}",
                f"--groups={USER}",
                root,
            ]
        else:
            enter = [
                shutil.which("unshare"),
                "--user",
                f"--map-user={USER}",
                f"--map-group={USER}",
                f"--root={root}",
                "--wd=/",
            ]
        return subprocess.run(
            [*enter, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=DEADLINE_SECONDS,
            env={"PATH": "/bin", "HOME": "/", **(variables or {})},
            check=False,
        )

    def _run(self, root, pod, container):
        variables = {"HOSTNAME": pod}
        for source in container.get("envFrom", []):
            kind, reference = next((k, v) for k, v in source.items() if k != "prefix")
            kind = {"configMapRef": "configmaps", "secretRef": "secrets"}[kind]
            for name, value in self._data(kind, reference).items():
                variables[source.get("prefix", "") + name] = value.decode()
        for variable in container.get("env", []):
            source = variable.get("valueFrom", {})
            if "secretKeyRef" in source:
                reference = source["secretKeyRef"]
                value = self._data("secrets", reference).get(reference["key"])
                if value is not None:
                    variables[variable["name"]] = value.decode()
            elif "fieldRef" in source:
                variables[variable["name"]] = pod
            else:
                variables[variable["name"]] = expand(variable.get("value", ""), variables)
        command = [*container["command"], *container.get("args", [])]
        return self.run_in(root, [expand(word, variables) for word in command], variables)

    def _mount(self, root, volumes, mounts):
        """Puts VOLUMES into ROOT; returns what moved where: (place in the root, where it was)."""
        moved, places = [], {}
        for mount in [*mounts, {"name": TOKEN_VOLUME, "mountPath": TOKEN_FOLDER}]:
            name, path = mount["name"], mount["mountPath"].rstrip("/")
            if name not in places:
                # The first mount is the folder itself, unless it shows a part of it only.
                places[name] = f"/.volumes/{name}" if "subPath" in mount else path
                place = root / places[name].lstrip("/")
                place.parent.mkdir(parents=True, exist_ok=True)
                (volumes / name).rename(place)
                moved.append((place, volumes / name))
            if path != places[name]:
                link = root / path.lstrip("/")
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to("/".join([places[name], mount.get("subPath", "")]).rstrip("/"))
        for folder, _, _ in os.walk(root):
            if not any(place == pathlib.Path(folder) for place, _ in moved):
                os.chmod(folder, 0o555)
        return moved

    def _make_volume(self, folder, volume):
        if "emptyDir" in volume:
            folder.mkdir()
            folder.chmod(0o777)
            return
        files = {}
        for source in volume.get("projected", {}).get("sources", [volume]):
            if "configMap" in source:
                files.update(self._items("configmaps", source["configMap"]))
            else:
                files.update(self._items("secrets", source["secret"]))
        self._fill(folder, files, 0o440 if "configMap" not in volume else 0o444)

    def _items(self, kind, source):
        data = self._data(kind, {"name": source.get("secretName", source.get("name")), **source})
        items = source.get("items") or [{"key": key, "path": key} for key in data]
        return {one["path"]: data[one["key"]] for one in items if one["key"] in data}

    @staticmethod
    def _fill(folder, files, mode):
        folder.mkdir()
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_bytes(content)
            if os.geteuid() == 0:
                os.chown(path, 0, USER)  # fsGroup
            path.chmod(mode)

    def _data(self, kind, reference):
        """{key: bytes} of the ConfigMap or Secret; empty when it is optional and not there."""
        path = f"api/v1/namespaces/{self._namespace}/{kind}/{reference['name']}"
        try:
            found = self._kubernetes.api("GET", path).get("data") or {}
        except ServerError as error:
            if reference.get("optional") and ": 404: " in str(error):
                return {}
            raise
        if kind == "secrets":
            return {key: base64.b64decode(value) for key, value in found.items()}
        return {key: value.encode() for key, value in found.items()}

    @staticmethod
    def _make_application_image(image):
        """A root with busybox and the libraries that it needs: `sh` and its commands."""
        busybox = shutil.which("busybox")
        needed = subprocess.run(["ldd", busybox], capture_output=True, text=True, check=True).stdout
        for file in [busybox, *re.findall(r"(/\S+) \(", needed)]:
            copy = image / file.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
        (image / "bin").mkdir(exist_ok=True)
        applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
        for applet in applets.stdout.split():
            link = image / "bin" / applet
            if not link.exists():
                link.symlink_to(busybox)
