"""The runner's own tests: a runner that finds nothing would let everything pass."""

import base64
import pathlib
import tempfile
import unittest

from . import leaks, loopback
from .interpreter import Interpreter, Programs
from .parse import Failure, expand, parse

FAKE = """#!/bin/sh
case $1 in
  leak) echo "the password is vc-canary-x" ;;
  leak64) printf 'user:vc-canary-x-long-enough' | base64 ;;
  token) echo "hvs.CAESIJabcdefghijklmnopqrstuvwx" ;;
  file) echo "vc-canary-x" > "$2" ;;
  helm) helm "$2" ;;
  err) echo "wrong" >&2; exit 3 ;;
  slow) sleep 30 ;;
  *) echo "$@" ;;
esac
"""


class RunnerTest(unittest.TestCase):
    """Scenarios with a shell script in the program's place, and no server."""

    def setUp(self):
        # pylint: disable=consider-using-with
        self.folder = tempfile.TemporaryDirectory(prefix="vaultcore-selftest-")
        self.addCleanup(self.folder.cleanup)
        root = pathlib.Path(self.folder.name)
        self.fake, self.helm, self.file = root / "fake", root / "real-helm", root / "some.txt"
        self.fake.write_text(FAKE)
        self.fake.chmod(0o755)
        self.helm.write_text("#!/bin/sh\nexit 0\n")
        self.helm.chmod(0o755)

    def scenario(self, text):
        """Runs TEXT."""
        self.file.write_text("# A scenario.\n" + text)
        programs = Programs({"prog": str(self.fake)}, str(self.helm))
        lines = []
        folder = pathlib.Path(self.folder.name) / "work"
        interpreter = Interpreter(parse(self.file), None, folder, programs, lines)
        try:
            interpreter.run()
        finally:
            interpreter.close()
        return lines

    def fails(self, text, why):
        """TEXT must fail, and say WHY."""
        with self.assertRaisesRegex(Failure, why):
            self.scenario(text)

    def test_passes(self):
        """What a scenario may say, all of it true."""
        self.scenario(
            "prog a ${WORK} 'b  c'\n"
            "stdout '^a ${WORK} b  c$'\n"
            "stdout ! z$\n"
            "stderr empty\n"
            "! 3 prog err\n"
            "stderr lines 1\n"
            "stderr is expected\n"
            "! 1|3 prog err\n"
            "cp in out/copy\n"
            "same in out/copy\n"
            "grep 'secret vc-canary-name' in\n"
            "folder out copy\n"
            "file out/copy mode=0644\n"
            "file out/none absent\n"
            "for X in 1 2\n  prog ${X}\n  stdout ${X}\nend\n"
            "prog slow &job\n"
            "signal job KILL 0.01\n"
            "wait job -9\n"
            "prog helm template\n"
            "-- expected --\nwrong\n-- in --\nsecret ${SECRET_name} $${X}\n"
        )

    def test_status(self):
        """Another exit status is a failure."""
        self.fails("prog err\n", "some.txt:2: prog err\n.*exit status is 3, not 0")
        self.fails("! 3 prog fine\n", "exit status is 0, not 3")

    def test_patterns(self):
        """A pattern that does not match, or must not, is a failure."""
        self.fails("prog a\nstdout b\n", "nothing that matches")
        self.fails("prog a\nstdout ! a\n", "standard output has 'a'")
        self.fails("prog a\nstdout is x\n-- x --\nb\n", "is not what x says")
        self.fails("prog a\nstdout empty\n", "not empty")

    def test_leaks(self):
        """Secrets are found wherever they come out."""
        self.fails("prog leak\n", "standard output .* shows a planted canary")
        self.fails("prog leak64\n", "shows a canary in base64")
        self.fails("prog token\n", "shows a Vault token")
        self.fails("prog file left\n", "the file left shows")
        self.fails("prog file tmp/left\n", "the file tmp/left shows")
        self.fails("prog helm vc-canary-x\n", "a helm's arguments .* shows")
        self.fails("env X=vc-canary-x\nprog helm a\n", "a helm's environment .* shows")
        self.scenario("prog file out/wanted\n")

    def test_known_values(self):
        """What Vault holds is searched for as well."""
        known = {needle: "it" for needle in leaks.needles_of("a-generated-password")}
        self.assertEqual(leaks.find(b"xx a-generated-password", known), ["it at byte 3"])
        self.assertEqual(leaks.needles_of("short"), [])
        pem = "-----BEGIN KEY-----\n" + "A" * 64 + "\n-----END KEY-----\n"
        self.assertEqual(leaks.needles_of(pem), [b"A" * 64])

    def test_base64(self):
        """At every alignment."""
        for shift in range(3):
            text = base64.b64encode(b"x" * shift + b"vc-canary-something")
            self.assertTrue(leaks.find(text, {}), shift)

    def test_malformed(self):
        """A scenario that cannot be understood fails."""
        self.fails("prog ${NO}\n", "no variable")
        self.fails("no-such-program\n", "no directive, and no program")
        self.fails("for X in 1\nprog\n", "for without end")
        self.fails("prog slow &job\n", "still runs at the end")
        self.assertEqual(expand("a $${b} ${c}", {"c": "d"}), "a ${b} d")

    def test_rules(self):
        """The proxy's rules."""
        rules = loopback.parse_rules(
            ["PUT", "/env-secrets$", "delay=0.5", "-", "/x", "status=429", "header=Retry-After:1"]
        )
        self.assertEqual([rule.status for rule in rules], [0, 429])
        self.assertEqual(rules[1].headers, [("Retry-After", "1")])
        self.assertTrue(loopback.matches("-", "/a", ("GET", "secret/a")))
        self.assertFalse(loopback.matches("PUT", "/a", ("GET", "secret/a")))


def run():
    """Runs them all; the exit code."""
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(RunnerTest)
    return 0 if unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful() else 1
