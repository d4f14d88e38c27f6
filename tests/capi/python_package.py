"""The binding as a package: python_package.py BINDING LIBRARY MODEL OUT.

Installs it with pip into a folder of its own, without the network, or unpacks its source distribution
where pip or wheel are not there; then the binding's test runs on what came out. Ends with 77, skipped,
without setuptools.
"""

import glob
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile

binding, library, model, out = sys.argv[1:]
test = os.path.join(os.path.dirname(os.path.abspath(__file__)), "python_binding.py")
source, site = os.path.join(out, "source"), os.path.join(out, "site")


def have(module):
    return importlib.util.find_spec(module) is not None


def run(*command, **options):
    if subprocess.run([sys.executable, *command], **options).returncode != 0:
        sys.exit("failed: %s" % " ".join(command))


if not have("setuptools"):
    print("skipped: no setuptools")
    sys.exit(77)
shutil.rmtree(out, ignore_errors=True)
shutil.copytree(binding, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
if have("pip") and have("wheel"):
    run("-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
        "--disable-pip-version-check", "--root-user-action=ignore", "--target", site, source)
    if not glob.glob(os.path.join(site, "tern-*.dist-info")):
        sys.exit("failed: no metadata")
else:
    print("without pip or wheel: the source distribution alone")
    build = "from setuptools import build_meta; build_meta.build_sdist('..')"
    run("-c", build, cwd=source, stdout=subprocess.DEVNULL)
    with tarfile.open(glob.glob(os.path.join(out, "tern-*.tar.gz"))[0]) as archive:
        archive.extractall(out)
    os.rename(glob.glob(os.path.join(out, "tern-*" + os.sep))[0], site)
check = """
import os, sys, importlib.metadata
os.environ["TERN_LIBRARY"], folder = sys.argv[1:]
sys.path.insert(0, folder)
import tern
of_package = list(importlib.metadata.distributions(name="tern", path=[folder]))[0].version
if os.path.dirname(tern.__file__) != folder or tern.version() != of_package:
    sys.exit("failed: %s of version %s" % (tern.__file__, of_package))
"""
run("-c", check, library, site)
run(test, site, library, model)
