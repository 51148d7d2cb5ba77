"""A private certificate authority made for one run, with the openssl command line."""

import pathlib
import subprocess

from .processes import ServerError


def _openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerError(f"openssl {args[0]} failed: {done.stderr.strip()}")


def _private(path):
    # Created before openssl writes into it, so that the key is never readable by others.
    path.touch(mode=0o600)
    return path


class Authority:
    """A certificate authority in FOLDER: FOLDER/ca.crt and its key, and whatever it issues beside
    them.
    """

    def __init__(self, folder, name="vaultcore test CA"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate = self.folder / "ca.crt"
        self._key = self.folder / "ca.key"
        if not self.certificate.exists():
            self._new_key(self._key)
            _openssl(
                "req",
                "-x509",
                "-new",
                "-key",
                self._key,
                "-subj",
                f"/CN={name}",
                "-days",
                "30",
                "-batch",
                "-addext",
                "basicConstraints=critical,CA:TRUE",
                "-addext",
                "keyUsage=critical,keyCertSign,cRLSign",
                "-out",
                self.certificate,
            )

    @staticmethod
    def _new_key(path):
        _openssl(
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            _private(path),
        )

    def issue(self, name, subject="vaultcore", names=("DNS:localhost", "IP:127.0.0.1"), days=30):
        """Issues NAME.crt (with the key NAME.key) for NAMES and returns both paths; a negative
        DAYS: already expired.
        """
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        self._new_key(key)
        _openssl("req", "-new", "-key", key, "-subj", f"/CN={subject}", "-batch", "-out", request)
        extensions.write_text(
            "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
            "extendedKeyUsage=serverAuth,clientAuth\n"
            f"subjectAltName={','.join(names)}\n"
        )
        _openssl(
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            self.certificate,
            "-CAkey",
            self._key,
            "-CAcreateserial",
            "-days",
            days,
            "-extfile",
            extensions,
            "-out",
            certificate,
        )
        request.unlink()
        extensions.unlink()
        return certificate, key
