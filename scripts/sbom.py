#!/usr/bin/env python3
"""Writes the SBOM (SPDX 2.3, JSON) of an image's root to standard output, and the licences of the Debian packages in
it to ROOT/licenses. Usage: sbom.py ROOT; the time is SOURCE_DATE_EPOCH."""
import datetime
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parent.parent
# Libraries that are compiled into the binary, for they are headers alone.
HEADERS = ["nlohmann-json3-dev", "libcli11-dev", "libexpected-dev"]
FIELDS = ["binary:Package", "Version", "Architecture", "Maintainer", "source:Package", "source:Version"]
# Where the name in a Debian copyright file is exactly one of SPDX's, or a spelling of it.
SPDX = {"MIT": "MIT", "Expat": "MIT", "Apache-2.0": "Apache-2.0", "Zlib": "Zlib", "BSL-1.0": "BSL-1.0",
        "PostgreSQL": "PostgreSQL", "CC0-1.0": "CC0-1.0", "BSD-3-clause": "BSD-3-Clause", "BSD-3-Clause": "BSD-3-Clause",
        "BSD-2-clause": "BSD-2-Clause"}


def output(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def owners(paths):
    """The package that owns each file; the /usr of a merged system may stand in dpkg's name or not."""
    names = {}
    for path in paths:
        for name in (path, os.path.realpath(path)):
            for spelling in (name, name.removeprefix("/usr"), "/usr" + name):
                names[spelling] = path
    found = subprocess.run(["dpkg-query", "-S", *names], capture_output=True, text=True, check=False).stdout
    owner = {}
    for line in found.splitlines():
        packages, _, name = line.partition(": ")
        if name in names:
            owner[names[name]] = packages.split(",")[0].split(":")[0]
    for path in paths:
        if path not in owner:
            sys.exit(f"sbom: no Debian package owns {path}, so nobody knows its version and licence")
    return owner


@functools.cache
def facts_of(package):
    line = output("dpkg-query", "-W", "-f", "\\t".join("${%s}" % field for field in FIELDS) + "\\n", package)
    return dict(zip(FIELDS, line.splitlines()[0].split("\t")))


def license_of(package, root):
    """Copies the package's copyright file; SPDX's name where it is certain, and the names that stand there."""
    source = pathlib.Path("/usr/share/doc", package, "copyright")
    if not source.exists():
        sys.exit(f"sbom: {source} is missing: install {package} with its documentation")
    target = pathlib.Path(root, "licenses", package, "copyright")
    target.parent.mkdir(parents=True)
    shutil.copyfile(source, target)
    names = re.findall(r"^License:[ \t]*(\S[^\n]*)$", source.read_text(errors="replace"), re.MULTILINE)
    names = sorted({name.strip() for name in names})
    certain = {SPDX.get(name) for name in names}
    known = certain.pop() if len(certain) == 1 else None
    return known or "NOASSERTION", names


def spdx_id(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.]+", "-", name.strip("/"))


def file_entry(root, path):
    data = pathlib.Path(root + path).read_bytes()
    sums = {"SHA1": hashlib.sha1(data).hexdigest(), "SHA256": hashlib.sha256(data).hexdigest()}
    return {"SPDXID": spdx_id("File", path), "fileName": "." + path,
            "checksums": [{"algorithm": name, "checksumValue": value} for name, value in sums.items()],
            "licenseConcluded": "NOASSERTION", "copyrightText": "NOASSERTION"}


def verification_code(entries):
    """As SPDX 2.3, 7.9 has it."""
    sums = sorted(entry["checksums"][0]["checksumValue"] for entry in entries)
    return {"packageVerificationCodeValue": hashlib.sha1("".join(sums).encode()).hexdigest()}


def package_entry(name, version, files, **more):
    entry = {"SPDXID": spdx_id("Package", name), "name": name, "versionInfo": version,
             "downloadLocation": "NOASSERTION", "filesAnalyzed": bool(files), "copyrightText": "NOASSERTION",
             "licenseConcluded": "NOASSERTION", **more}
    if files:
        entry["packageVerificationCode"] = verification_code(files)
    return entry


def debian_entry(package, files, root):
    facts = facts_of(package)
    known, names = license_of(package, root)
    more = {"licenseDeclared": known, "supplier": "Organization: Debian",
            "originator": "Person: " + facts["Maintainer"],
            "sourceInfo": f"built from the Debian source package {facts['source:Package']} {facts['source:Version']}",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:deb/debian/{package}@{facts['Version']}"
                                                  f"?arch={facts['Architecture']}&distro=debian-12"}]}
    if names:
        more["licenseComments"] = "The package's copyright file names: " + "; ".join(names)
    return package_entry(package, facts["Version"], files, **more)


def files_by_package(root):
    """Every regular file of the image that somebody else made, by the package it comes from."""
    files = sorted(path for path in pathlib.Path(root).rglob("*") if path.is_file() and not path.is_symlink())
    libraries = ["/" + str(path.relative_to(root)) for path in files if ".so" in path.name]
    by_package = {package: [] for package in HEADERS}
    by_package["ca-certificates"] = ["/etc/ssl/certs/ca-certificates.crt"]
    for name, package in owners(libraries).items():
        by_package.setdefault(package, []).append(name)
    return by_package


def main(root):
    version = (PROJECT / "VERSION").read_text().strip()
    binary = file_entry(root, "/whimbrel")
    packages = [package_entry("whimbrel", version, [binary], licenseDeclared="Apache-2.0",
                              supplier="Organization: The Whimbrel authors", primaryPackagePurpose="APPLICATION")]
    files = [binary]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", packages[0]["SPDXID"]),
                 (packages[0]["SPDXID"], "CONTAINS", binary["SPDXID"])]
    for package, names in sorted(files_by_package(root).items()):
        entries = [file_entry(root, name) for name in names]
        packages.append(debian_entry(package, entries, root))
        files += entries
        how = "STATIC_LINK" if package in HEADERS else "DEPENDS_ON"
        relations.append((packages[0]["SPDXID"], how, packages[-1]["SPDXID"]))
        relations += [(packages[-1]["SPDXID"], "CONTAINS", entry["SPDXID"]) for entry in entries]
    time = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)
    content = hashlib.sha256("".join(entry["checksums"][1]["checksumValue"] for entry in files).encode()).hexdigest()
    json.dump({"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
               "name": f"whimbrel-{version}",
               "documentNamespace": f"https://whimbrel.dev/spdx/whimbrel-{version}-{content}",
               "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                                "creators": [f"Tool: whimbrel-sbom-{version}"]},
               "packages": packages, "files": files,
               "relationships": [{"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
                                 for one, kind, other in relations]}, sys.stdout, indent=1, ensure_ascii=True)
    print()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
