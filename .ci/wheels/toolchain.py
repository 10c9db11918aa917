"""Makes compilers whose programs run on glibc 2.28 and its libstdc++ (manylinux_2_28), from the machine's own gcc.

`toolchain.py FOLDER` fills FOLDER with bin/cc, bin/c++ and what they use instead of the system's:

- headers and link-time stubs of glibc 2.28, which the package `ziglang` carries for every version of glibc;
- a libstdc++ that is two things to the linker, as in Red Hat's gcc-toolset: the shared one with the symbols that
  manylinux_2_28 has (GLIBCXX_3.4.24), and gcc's static one for what came later, hidden in what is linked.

Not zig's own C++ compiler: it brings libc++, and a program compiled with gcc could not link what it makes.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

GLIBC_MINOR = 28
NEWEST = {"GLIBCXX": (3, 4, 24), "CXXABI": (1, 3, 11)}  # of manylinux_2_28; auditwheel's manylinux-policy.json
ZIG_TARGET = f"x86_64-linux-gnu.2.{GLIBC_MINOR}"
ZIG_HEADERS = ("x86-linux-gnu", "generic-glibc", "x86-linux-any", "any-linux-any")

# libstdc++ waits by the steady clock with functions of glibc 2.30; without them it converts to the system's clock.
CONFIG = """#include_next <bits/c++config.h>
#undef _GLIBCXX_USE_PTHREAD_COND_CLOCKWAIT
#undef _GLIBCXX_USE_PTHREAD_MUTEX_CLOCKLOCK
#undef _GLIBCXX_USE_PTHREAD_RWLOCK_CLOCKLOCK
"""

# glibc 2.32 says with it whether a process has one thread, which libstdc++ asks for; "no" is always right.
SINGLE_THREADED = '__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;\n'
SINGLE_THREADED_HEADER = 'extern "C" char __libc_single_threaded;\n'


def run(*command: object, **options: object) -> str:
    """Returns what the command prints."""
    text = [str(part) for part in command]
    return subprocess.run(text, check=True, text=True, stdout=subprocess.PIPE, **options).stdout  # type: ignore[call-overload]


def system_headers(compiler: str, language: str) -> list[str]:
    """The folders that `compiler` searches, without the C library's."""
    done = subprocess.run(
        [compiler, "-x", language, "-E", "-v", os.devnull], check=True, text=True, capture_output=True
    )
    listed = done.stderr.split("#include <...> search starts here:")[1].split("End of search list")[0].split()
    return [folder for folder in listed if "/gcc/" in folder or "/c++/" in folder]


def is_old(version: str) -> bool:
    """Whether manylinux_2_28 has it."""
    family, _, number = version.partition("_")
    parts = tuple(int(part) for part in re.findall(r"\d+", number))
    return family in NEWEST and re.fullmatch(r"[\d.]+", number) is not None and parts <= NEWEST[family]


def libstdcxx_stub(library: str, folder: Path) -> None:
    """Writes libstdc++.so.6: the old symbols of `library` by name, type and size, and no code."""
    versions, lines = defaultdict(list), []
    kinds = {"FUNC": (".text", "function"), "IFUNC": (".text", "function"), "OBJECT": (".data", "object"),
             "TLS": (".section .tbss,\"awT\",@nobits", "tls_object")}  # fmt: skip
    for line in run("readelf", "--dyn-syms", "--wide", library).splitlines():
        fields = line.split()
        name, _, version = fields[7].partition("@@") if len(fields) == 8 else ("", "", "")
        if not version or fields[6] in {"UND", "ABS"} or fields[3] not in kinds or not is_old(version):
            continue
        section, kind = kinds[fields[3]]
        size = max(1, int(fields[2], 0))
        lines.append(f"{section}\n.globl {name}\n.type {name},@{kind}\n.size {name},{size}\n{name}: .skip {size}")
        versions[version].append(name)
    (folder / "stub.s").write_text("\n".join(lines) + '\n.section .note.GNU-stack,"",@progbits\n')
    script = [f"{version} {{ global: {'; '.join(names)}; }};" for version, names in versions.items()]
    (folder / "stub.map").write_text("\n".join([*script, "unversioned { local: *; };"]) + "\n")
    run("gcc", "-shared", "-nostdlib", "-Wl,-soname,libstdc++.so.6", f"-Wl,--version-script={folder / 'stub.map'}",
        folder / "stub.s", "-o", folder / "libstdc++.so.6")  # fmt: skip


def glibc_stubs(folder: Path) -> None:
    """Has zig link a program, and takes the stubs and start files that it made for it."""
    (folder / "main.c").write_text("int main(void) { return 0; }\n")
    cache = folder / "zig-cache"
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(cache), "ZIG_LOCAL_CACHE_DIR": str(cache)}
    zig = (sys.executable, "-m", "ziglang", "cc", "-target", ZIG_TARGET)
    run(*zig, folder / "main.c", "-o", folder / "main", "-pie", "-lm", "-lpthread", "-ldl", "-lrt", env=environment)
    for pattern in ("lib*.so.*", "libc_nonshared.a", "*crt1.o", "crti.o", "crtn.o"):
        for path in cache.glob(f"o/*/{pattern}"):
            path.replace(folder / path.name)
    for name in ("m", "pthread", "dl", "rt", "util"):
        stub = next(folder.glob(f"lib{name}.so.*"))
        (folder / f"lib{name}.so").write_text(f"INPUT({stub})\n")
    # Of this glibc, and unlike the compiler's own, threads and dlopen are libraries of their own.
    others = " ".join(str(folder / name) for name in ("libpthread.so.0", "libdl.so.2"))
    text = f"INPUT({folder / 'libc.so.6'} {folder / 'libc_nonshared.a'} AS_NEEDED({others}))\n"
    (folder / "libc.so").write_text(text)


def make(folder: Path) -> None:
    """Fills `folder`."""
    import ziglang

    libraries, binaries, headers = folder / "lib", folder / "bin", folder / "include"
    for path in (libraries, binaries, headers / "bits", headers / "sys"):
        path.mkdir(parents=True, exist_ok=True)
    glibc_stubs(libraries)
    libstdcxx_stub(run("g++", "-print-file-name=libstdc++.so").strip(), libraries)
    (libraries / "later.c").write_text(SINGLE_THREADED)
    run("gcc", "-c", "-fPIC", libraries / "later.c", "-o", libraries / "later.o")
    run("ar", "rcs", libraries / "liblater.a", libraries / "later.o")
    static = run("g++", "-print-file-name=libstdc++.a").strip()
    rest = f"{libraries / 'libstdc++.so.6'} {static} {libraries / 'liblater.a'} {libraries / 'libc_nonshared.a'}"
    (libraries / "libstdc++.so").write_text(f"INPUT({rest})\n")
    (headers / "bits" / "c++config.h").write_text(CONFIG)
    (headers / "sys" / "single_threaded.h").write_text(SINGLE_THREADED_HEADER)

    zig = Path(ziglang.__file__).parent / "lib" / "libc" / "include"
    for name, compiler, language in (("cc", "gcc", "c"), ("c++", "g++", "c++")):
        own = [str(headers)] if language == "c++" else []
        searched = [*own, *system_headers(compiler, language), *(str(zig / part) for part in ZIG_HEADERS)]
        flags = [f"-D__GLIBC_MINOR__={GLIBC_MINOR}", *(f"-isystem{folder}" for folder in searched)]
        flags += [f"-L{libraries}", f"-B{libraries}", "-Wl,--exclude-libs,ALL", "-Wl,--allow-shlib-undefined"]
        program = binaries / name
        program.write_text(f'#!/bin/sh\nexec {compiler} -nostdinc "$@" {shlex.join(flags)}\n')
        program.chmod(0o755)


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve())
