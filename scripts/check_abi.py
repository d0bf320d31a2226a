#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the binary interface of the public headers with abi/libwebtransport.abi, that of the last release.

    scripts/check_abi.py                 compare: additions are listed and allowed, a break fails
    scripts/check_abi.py --write         make the headers of today the ones to compare with
    scripts/check_abi.py --library FILE  compare a built library with the headers: symbols, versions, types
    scripts/check_abi.py --self-test     change a copy of the headers in various ways and look at each verdict

A small library of empty functions is compiled from the headers, so that the dump has public types alone, and abidw
(libabigail) dumps it. Two dumps are compared twice. abidiff says whether anything changed, and shows how. It does not know
which structs may grow, so the verdict is made here, member by member:

    addition  a function, an enumerator, a type; a member behind the last one of a struct that may grow
    break     all else: a program that was compiled before would not work

A struct may grow if it begins with `size`, or if only the library makes it (FILLED). The dump is that of a 64-bit machine.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).resolve().parent.parent
KEPT = HERE / "abi/libwebtransport.abi"
MAP = HERE / "src/libwebtransport.map"

# Structs without `size` that the library makes and only lends: members may be added at their end.
FILLED = {"wt_close_info", "wt_dial_result", "wt_stream_error"}

# The first version whose symbols carry a version: older functions have its node.
FIRST_NODE = (0, 2)

ADVICE = f"""
This breaks programs that were compiled with the last release. If that is not meant, undo it: add a new function, or a new
member at the end of a struct that begins with `size` (error.h, "Structs that grow"). If it is meant, the next release needs
a new minor version (before 1.0; then a major one) and a line in CHANGELOG.md under "Changed". Then run

    scripts/check_abi.py --write

and commit {KEPT.relative_to(HERE)} together with the header."""


def run(*command):
    try:
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit(f"check_abi: {command[0]} is missing: run scripts/setup.sh test (it is of abigail-tools, or the compiler)")
    return result.returncode, result.stdout + result.stderr


def must(*command):
    status, output = run(*command)
    if status != 0:
        sys.exit(f"check_abi: {command[0]} failed:\n{output}")
    return output


# --- What the headers declare. ---

def header_texts(include):
    for file in sorted((include / "webtransport").glob("*.h")):
        yield file.read_text(encoding="utf-8")


def declared(include):
    """The exported functions: name -> (prototype, version since which it exists)."""
    functions = {}
    for text in header_texts(include):
        for match in re.finditer(r"(?:/\*\*((?:(?!\*/).)*)\*/\s*)?^WT_API\s+([^;{]*?\b(wt_\w+)\s*\([^;{]*\))\s*;", text,
                                 re.M | re.S):
            since = re.findall(r"Since[\s*]+(\d+)\.(\d+)", match[1] or "")
            functions[match[3]] = (" ".join(match[2].split()), tuple(map(int, since[-1])) if since else None)
    return functions


def uncallable(include):
    """What a program can call in C alone: a macro with arguments, an inline function without an exported one for it.

    A `_default` passes sizeof to its `_init`, which is exported. WT_ERROR_LIST makes an enum."""
    functions = declared(include)
    found = []
    for text in header_texts(include):
        for name in re.findall(r"^#define (wt_\w+|WT_\w+)\(", text, re.M | re.I):
            if name not in ("WT_ERROR_LIST", "WT_ERROR_ENUM"):
                found.append(f"{name} is a macro with arguments: other languages cannot call it")
        for name in re.findall(r"^static inline [^(]*?\b(wt_\w+)\(", text, re.M):
            if not name.endswith("_default") or name.removesuffix("_default") + "_init" not in functions:
                found.append(f"{name} is inline: other languages need an exported function for it")
    return found


def named_types(include):
    """Each enum and struct that the headers define: also those that no function names."""
    names = set()
    for text in header_texts(include):
        names.update(re.findall(r"^((?:enum|struct) wt_\w+) \{", text, re.M))
    return sorted(names)


# --- From headers to a dump. ---

def build_stub(include, folder, with_types, soname="libwebtransport.so"):
    """Compiles the library of empty functions; `with_types`: and one that takes each type."""
    lines = ["#include <webtransport/webtransport.h>"]
    lines += [f"{prototype} {{ __builtin_trap(); }}" for prototype, _ in declared(include).values()]
    if with_types:
        for name in named_types(include):
            lines.append(f'WT_API void wt_type_of_{name.split()[1]}({name} *unused);\n'
                         f'void wt_type_of_{name.split()[1]}({name} *unused) {{ (void)unused; }}')
    (folder / "public.c").write_text("\n".join(lines) + "\n")
    must(os.environ.get("CC", "cc"), "-std=c17", "-g", "-O0", "-shared", "-fPIC", "-fvisibility=hidden", "-nostdlib",
         f"-I{include}", f"-Wl,--version-script={MAP},-soname,{soname}", f"-fdebug-prefix-map={folder}=.",
         folder / "public.c", "-o", folder / "libpublic.so")
    return folder / "libpublic.so"


def dump_headers(include, folder):
    library = build_stub(include, folder, True)
    must("abidw", "--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-elf-needed", "--no-parameter-names",
         "--no-architecture", "--type-id-style", "hash", "--out-file", folder / "public.abi", library)
    text = re.sub(r" soname='[^']*'", "", (folder / "public.abi").read_text())
    (folder / "public.abi").write_text(re.sub(r"(<abi-instr [^>]*path=')[^']*", r"\1public.c", text))
    return folder / "public.abi"


# --- What a dump says, as plain strings. ---

class Dump:
    """functions: name -> signature. enums: name -> {enumerator: value}. structs: name -> (size, [(offset, name, type)])."""

    def __init__(self, path):
        root = ElementTree.parse(path).getroot()
        self.types = {node.get("id"): node for node in root.iter() if node.get("id")}
        self.functions, self.enums, self.structs = {}, {}, {}
        for node in root.iter("function-decl"):
            if not node.get("name").startswith("wt_type_of_"):
                self.functions[node.get("name")] = self.signature(node)
        for node in root.iter("enum-decl"):
            self.enums[node.get("name")] = {e.get("name"): int(e.get("value")) for e in node.iter("enumerator")}
        for node in root.iter("class-decl"):
            if node.get("is-declaration-only") != "yes":
                self.structs[node.get("name")] = (int(node.get("size-in-bits")), [
                    (int(member.get("layout-offset-in-bits")), member.find("var-decl").get("name"),
                     self.name_of(member.find("var-decl").get("type-id"))) for member in node.iter("data-member")])
        if not self.functions or not self.enums or not self.structs:
            sys.exit(f"check_abi: {path} has no functions, enums or structs")

    def signature(self, node):
        parameters = ["..." if p.get("is-variadic") == "yes" else self.name_of(p.get("type-id"))
                      for p in node.findall("parameter")]
        return f"{self.name_of(node.find('return').get('type-id'))} ({', '.join(parameters)})"

    def name_of(self, identity):
        node = self.types[identity]
        if node.tag == "pointer-type-def":
            return f"pointer to {{{self.name_of(node.get('type-id'))}}}"
        if node.tag == "qualified-type-def":
            return f"{'const ' if node.get('const') == 'yes' else ''}{'volatile ' if node.get('volatile') == 'yes' else ''}" \
                   + self.name_of(node.get("type-id"))
        if node.tag == "array-type-def":
            return self.name_of(node.get("type-id")) + "".join(f"[{r.get('length')}]" for r in node.iter("subrange"))
        if node.tag == "typedef-decl":
            return self.name_of(node.get("type-id"))
        if node.tag == "function-type":
            return "function " + self.signature(node)
        if node.tag in ("class-decl", "enum-decl"):
            return f"{'enum' if node.tag == 'enum-decl' else 'struct'} {node.get('name')}"
        if node.tag == "type-decl":
            return node.get("name")
        sys.exit(f"check_abi: a {node.tag} is not known here")


# --- The verdict. ---

def may_grow(name, members):
    return name in FILLED or (bool(members) and members[0][:2] == (0, "size"))


def compare_struct(name, old, new):
    """Returns what broke and what was added."""
    (old_size, old_members), (new_size, new_members) = old, new
    breaks, additions = [], []
    for at, member in enumerate(old_members):
        if at >= len(new_members) or new_members[at] != member:
            breaks.append(f"struct {name}: `{member[1]}` moved, changed its type or its name, or is gone")
    # Behind the last member, and not in the padding there: an old program's size would include it.
    for offset, member, kind in new_members[len(old_members):]:
        if may_grow(name, old_members) and offset >= old_size:
            additions.append(f"struct {name}: `{member}`, {kind}")
        else:
            breaks.append(f"struct {name}: `{member}` is new, and this struct may not grow there")
    if not additions and not breaks and old_size != new_size:
        breaks.append(f"struct {name}: its size is {new_size // 8}, was {old_size // 8}")
    return breaks, additions


def compare(old, new):
    breaks, additions = [], []
    for name, signature in sorted(old.functions.items()):
        if name not in new.functions:
            breaks.append(f"{name} is gone")
        elif new.functions[name] != signature:
            breaks.append(f"{name} is {new.functions[name]}, was {signature}")
    for name, values in sorted(old.enums.items()):
        for enumerator, value in values.items():
            if new.enums.get(name, {}).get(enumerator) != value:
                breaks.append(f"enum {name}: {enumerator} is not {value} any more")
        additions += [f"enum {name}: {e}" for e in new.enums.get(name, {}) if e not in values]
    for name in sorted(old.structs):
        if name not in new.structs:
            breaks.append(f"struct {name} is gone")
            continue
        found = compare_struct(name, old.structs[name], new.structs[name])
        breaks += found[0]
        additions += found[1]
    additions += [f"{name}, {new.functions[name]}" for name in sorted(new.functions) if name not in old.functions]
    additions += [f"struct {name}" for name in sorted(new.structs) if name not in old.structs]
    additions += [f"enum {name}" for name in sorted(new.enums) if name not in old.enums]
    return breaks, additions


def verdict(old_path, new_path):
    """Returns "same", "addition" or "break", and the lines to show."""
    breaks, additions = compare(Dump(old_path), Dump(new_path))
    lines = [f"break: {line}" for line in breaks] + [f"addition: {line}" for line in additions]
    if breaks:
        return "break", lines + ["", run("abidiff", "--no-architecture", old_path, new_path)[1]]
    # Bit 2 of the status: something changed; bits 0 and 1: it could not compare.
    status, report = run("abidiff", "--no-architecture", old_path, new_path)
    if status & 3 or (status and not additions):
        return "break", lines + [f"break: abidiff (status {status}) sees more than this check", "", report]
    return ("addition" if additions else "same"), lines


# --- Commands. ---

def check(include=HERE / "include", kept=KEPT):
    with tempfile.TemporaryDirectory() as folder:
        found, lines = verdict(kept, dump_headers(include, pathlib.Path(folder)))
    problems = uncallable(include)
    lines += problems + ([ADVICE] if found == "break" else [])
    if lines:
        print("\n".join(lines))
    return 1 if problems or found == "break" else 0


def write():
    with tempfile.TemporaryDirectory() as folder:
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_text(dump_headers(HERE / "include", pathlib.Path(folder)).read_text())
    print(f"{KEPT.relative_to(HERE)} is that of the headers now")
    return 0


def exported(library):
    """The exported symbols with their versions, but not the symbols that stand for the versions themselves."""
    found = {}
    for line in must("nm", "-D", "--defined-only", "--with-symbol-versions", library).splitlines():
        _, kind, name = line.split()
        if kind != "A":
            found[name.split("@")[0]] = name.split("@")[-1] if "@" in name else ""
    return found


def check_library(library):
    functions = declared(HERE / "include")
    found = exported(library)
    problems = [f"{name} is declared and not exported" for name in sorted(functions.keys() - found.keys())]
    problems += [f"{name} is exported and not declared" for name in sorted(found.keys() - functions.keys())]
    for name in sorted(functions.keys() & found.keys()):
        since = functions[name][1]
        if since is None:
            problems.append(f"{name}: its block in the header does not end with \"Since MAJOR.MINOR.PATCH.\"")
        elif found[name] != "LIBWEBTRANSPORT_%d.%d" % max(since, FIRST_NODE):
            problems.append(f"{name}: since {since[0]}.{since[1]}, but its symbol's version is '{found[name]}': see {MAP.name}")
    with tempfile.TemporaryDirectory() as folder:
        stub = build_stub(HERE / "include", pathlib.Path(folder), False, soname_of(library))
        status, report = run("abidiff", stub, library)
        if status:
            problems += ["the types of the library differ from those of the headers:", report]
    if problems:
        print("\n".join(problems))
    return 1 if problems else 0


def soname_of(library):
    match = re.search(r"\(SONAME\).*\[(.*)\]", must("readelf", "-dW", library))
    return match[1] if match else sys.exit(f"check_abi: {library} has no soname")


# What is done to a copy of the headers, and the verdict that has to follow: a text is replaced, or, where a struct is
# named in place of the text, a line is added at the end of that struct.
SAMPLES = [
    ("nothing", "same", "version.h", "", ""),
    ("a comment", "same", "stream.h", "Returns the QUIC stream id", "Gives the QUIC stream id"),
    ("a function", "addition", "version.h", "WT_API const char *wt_version(void);",
     "WT_API const char *wt_version(void);\nWT_API int wt_sample(const char *name, int value);"),
    ("an error", "addition", "error.h", "X(INTERNAL, -99,", 'X(SAMPLE, -98, "sample") X(INTERNAL, -99,'),
    ("a member at the end of a config", "addition", "server.h", "struct wt_server_config", "size_t sample;"),
    ("a callback at the end of a table", "addition", "request.h", "struct wt_request_callbacks",
     "void (*on_sample)(wt_request *request);"),
    ("a member at the end of what the library lends", "addition", "session.h", "struct wt_close_info", "void *sample[2];"),
    ("a function that is gone", "break", "version.h", "WT_API const char *wt_version(void);", ""),
    ("another result", "break", "version.h", "WT_API const char *wt_version(void);", "WT_API int wt_version(void);"),
    ("another parameter", "break", "stream.h", "WT_API int wt_stream_unread(wt_stream *stream, size_t len);",
     "WT_API int wt_stream_unread(wt_stream *stream, int len);"),
    ("const lost in a parameter", "break", "stream.h", "wt_stream_id(const wt_stream *stream)", "wt_stream_id(wt_stream *stream)"),
    ("an error with another value", "break", "error.h", "X(INTERNAL, -99,", "X(INTERNAL, -98,"),
    ("an enumerator in front", "break", "error.h", "  WT_CAUSE_LOCAL = 0,", "  WT_CAUSE_SAMPLE, WT_CAUSE_LOCAL,"),
    ("a flag with another value", "break", "server.h", "WT_DRAFT_13 = 4", "WT_DRAFT_13 = 16"),
    ("a member in the middle", "break", "server.h", "  size_t listen_count;", "  size_t sample;\n  size_t listen_count;"),
    ("a member that is gone", "break", "server.h", "  size_t max_memory;\n", ""),
    ("a member with another name", "break", "server.h", "  size_t max_memory;\n", "  size_t most_memory;\n"),
    ("a member with another type", "break", "server.h", "  size_t max_memory;\n", "  int64_t max_memory;\n"),
    ("two members that change places", "break", "connection.h", "*peer_address, *local_address;",
     "*local_address, *peer_address;"),
    ("another signature of a callback", "break", "request.h", "(wt_request *request, int error, void *user_data)",
     "(wt_request *request, long error, void *user_data)"),
    ("a member of a struct that is part of another", "break", "connection.h",
     "struct wt_transport_parameters", "uint64_t sample[2];"),
    ("a member of a struct that may not grow", "break", "session.h", "struct wt_header", "void *sample;"),
    ("a member in the padding at the end", "break", "client.h", "struct wt_exchange_options", "bool sample;"),
]

# Likewise, of what other languages cannot call.
UNCALLABLE = [
    ("a macro with arguments", "version.h", "#define WT_VERSION_MAJOR", "#define wt_sample(x) (x)\n#define WT_VERSION_MAJOR"),
    ("an inline function alone", "version.h", "#define WT_VERSION_MAJOR",
     "static inline int wt_sample(void) { return 0; }\n#define WT_VERSION_MAJOR"),
]


def changed_headers(folder, header, before, after):
    """Copies the headers to `folder`, one of them changed."""
    include = folder / "include/webtransport"
    include.mkdir(parents=True)
    for file in (HERE / "include/webtransport").glob("*.h"):
        text = file.read_text(encoding="utf-8")
        if file.name == header:
            if before.startswith("struct wt_"):
                before = re.search(re.escape(before) + r" \{.*?\n(?=\};)", text, re.S)[0]
                after = f"{before}  {after}\n"
            if before not in text:
                sys.exit(f"check_abi: {header} has no '{before}' to change")
            text = text.replace(before, after, 1)
        (include / file.name).write_text(text, encoding="utf-8")
    return folder / "include"


def self_test():
    good = True
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        old = scratch / "old"
        old.mkdir()
        kept = dump_headers(HERE / "include", old)
        for number, (what, expected, header, before, after) in enumerate(SAMPLES):
            folder = scratch / str(number)
            found, lines = verdict(kept, dump_headers(changed_headers(folder, header, before, after), folder))
            if found != expected:
                print(f"{what}: should be '{expected}', is '{found}'", *lines, sep="\n  ")
                good = False
        for what, *change in UNCALLABLE:
            if len(uncallable(changed_headers(scratch / what, *change))) != 1:
                print(f"{what}: should be reported")
                good = False
    return 0 if good and not uncallable(HERE / "include") else 1


def main():
    if sys.argv[1:] == ["--write"]:
        return write()
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    if len(sys.argv) == 3 and sys.argv[1] == "--library":
        return check_library(pathlib.Path(sys.argv[2]))
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    return check()


if __name__ == "__main__":
    sys.exit(main())
