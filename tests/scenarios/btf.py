# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Type information (BTF) as other kernels might have it: with fields that have other names.

CO-RE finds a field by its name (vmlinux/README.md). A field that is renamed in a copy of this
kernel's types is not there for the programs that are loaded with it (IPCLENS_BTF), while all
others are where they were.
"""
import os
import re
import struct
import subprocess

from traces import BUILD

KERNEL = "/sys/kernel/btf/vmlinux"
NEEDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../vmlinux/needed.def")

# linux/btf.h: what follows a type, by its kind: so many bytes, and so many for each of its parts.
TAILS = {1: (4, 0), 3: (12, 0), 4: (0, 12), 5: (0, 12), 6: (0, 8), 13: (0, 8), 14: (4, 0)}
TAILS |= {15: (0, 12), 17: (4, 0), 19: (0, 12)}
STRUCT, UNION, TYPEDEF = 4, 5, 8
MODIFIERS = (TYPEDEF, 9, 10, 11, 18)
FIELD_RELOCATIONS = range(6)


class Types:
    def __init__(self, data):
        self.data = bytearray(data)
        self.header_len, types, types_len, self.strings, self.strings_len = struct.unpack_from(
            "<5I", data, 4
        )
        self.at = [0]  # of each type, by its number
        position = self.header_len + types
        while position < self.header_len + types + types_len:
            self.at.append(position)
            fixed, each = TAILS.get(self.kind(position), (0, 0))
            position += 12 + fixed + each * self.parts(position)

    def word(self, position):
        return struct.unpack_from("<I", self.data, position)[0]

    def kind(self, position):
        return self.word(position + 4) >> 24 & 31

    def parts(self, position):
        return self.word(position + 4) & 0xFFFF

    def text(self, offset):
        start = self.header_len + self.strings + offset
        return self.data[start : self.data.index(0, start)].decode()

    def name(self, position):
        return self.text(self.word(position))

    def members(self, position):
        """Where each stands; its name comes first, then its type."""
        return [position + 12 + 12 * part for part in range(self.parts(position))]

    def plain(self, number):
        """Where a type stands, without typedefs and the like; 0: void."""
        position = self.at[number]
        while position and self.kind(position) in MODIFIERS:
            position = self.at[self.word(position + 8)]
        return position

    def named(self, position, field):
        """The members of that name, unnamed structures included."""
        found = []
        for member in self.members(position):
            inner = self.plain(self.word(member + 4))
            if self.name(member) == field:
                found.append(member)
            elif not self.name(member) and inner and self.kind(inner) in (STRUCT, UNION):
                found += self.named(inner, field)
        return found

    def structures(self, name):
        return [
            position
            for position in self.at[1:]
            if self.kind(position) in (STRUCT, UNION) and self.name(position) == name
        ]

    def without(self, fields):
        """A copy in which these (structure, field) have another name."""
        other = Types(self.data)
        by_name = {}
        for position in other.at[1:]:
            if other.kind(position) in (STRUCT, UNION):
                by_name.setdefault(other.name(position), []).append(position)
        members = [
            member
            for structure, field in fields
            for position in by_name.get(structure, [])
            for member in other.named(position, field)
        ]
        for member in members:
            struct.pack_into("<I", other.data, member, self.strings_len)
        # The strings are last: one more.
        end = other.header_len + other.strings + other.strings_len
        other.data[end:end] = b"renamed_by_a_test\0"
        struct.pack_into("<I", other.data, 20, other.strings_len + len(b"renamed_by_a_test\0"))
        return bytes(other.data)


def sections(program):
    """The sections of an object file (elf.h), by name."""
    with open(program, "rb") as file:
        data = file.read()
    start = struct.unpack_from("<Q", data, 0x28)[0]
    size, count, names = struct.unpack_from("<3H", data, 0x3A)
    heads = [struct.unpack_from("<IIQQQQ", data, start + size * i) for i in range(count)]

    def name_of(head):
        at = heads[names][4] + head[0]
        return data[at : data.index(0, at)].decode()

    return {name_of(head): data[head[4] : head[4] + head[5]] for head in heads}


def path_of(types, number, indices):
    """(structure, field, field of that, ...)"""
    position = types.plain(number)
    path = [types.name(position).split("___")[0]]
    for index in indices:
        if types.kind(position) not in (STRUCT, UNION):
            break  # an element of an array
        member = types.members(position)[index]
        path.append(types.name(member))
        position = types.plain(types.word(member + 4))
    return tuple(path)


def fields_read():
    """The paths of all kernel fields that our programs ask for, as ("file", "f_path", "dentry")."""
    program = sections(os.path.join(BUILD, "gen/ipclens.bpf.o"))
    types, lookups = Types(program[".BTF"]), program[".BTF.ext"]
    header_len, start, length = (struct.unpack_from("<I", lookups, at)[0] for at in (4, 24, 28))
    position, paths = header_len + start + 4, set()
    while position < header_len + start + length:
        count = struct.unpack_from("<I", lookups, position + 4)[0]
        position += 8
        for at in range(position, position + 16 * count, 16):
            _, number, access, kind = struct.unpack_from("<4I", lookups, at)
            if kind in FIELD_RELOCATIONS:
                indices = [int(index) for index in types.text(access).split(":")[1:]]
                paths.add(path_of(types, number, indices))
        position += 16 * count
    return paths


def fields_needed():
    """Those that vmlinux/needed.def names for this machine."""
    text = subprocess.run(["cc", "-E", "-P", "-x", "c", NEEDED], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    rows = re.findall(r"^NEEDED\((\w+), ([\w.]+)\)", text, re.MULTILINE)
    return {(structure, *field.split(".")) for structure, field in rows}


def fields_optional():
    """(structure, field): all that may be missing."""
    needed = {path[:2] for path in fields_needed()}
    return sorted({path[:2] for path in fields_read() if len(path) > 1} - needed)


def kernel_types():
    with open(KERNEL, "rb") as file:
        return Types(file.read())
