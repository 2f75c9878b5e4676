# SPDX-License-Identifier: MIT
"""undefined.py <FILES: the dynamic symbols that these ELF files use and do not define, each once. Standard input has the
names of the files, each ended by a NUL; what is not ELF is passed over. nm(1) says the same, but reads much more.
"""
import struct
import sys

DYNSYM = 11  # a section's type

# For each class, 32 and 64 bits: the position of the section table in the ELF header, and of the size of its entries;
# an entry's type, offset, size and link; a symbol.
CLASSES = {
    1: (32, "I", 46, "4xI8xIII12x", "I8xBBH"),
    2: (40, "Q", 58, "4xI16xQQI20x", "IBBH16x"),
}


def part(file, offset, size):
    file.seek(offset)
    return file.read(size)


def undefined(file):
    head = file.read(64)
    if head[:4] != b"\x7fELF" or head[4] not in CLASSES:
        return
    at, offset, counts, section, symbol = CLASSES[head[4]]
    order = "<" if head[5] == 1 else ">"
    table = struct.unpack_from(order + offset, head, at)[0]
    size, count = struct.unpack_from(order + "HH", head, counts)
    sections = list(struct.iter_unpack(order + section, part(file, table, size * count)))
    for kind, where, length, link in sections:
        if kind == DYNSYM:
            names = part(file, *sections[link][1:3])
            for name, _, _, defined_in in struct.iter_unpack(order + symbol, part(file, where, length)):
                if defined_in == 0:
                    yield names[name:names.index(b"\0", name)]


found = set()
for path in sys.stdin.buffer.read().split(b"\0")[:-1]:
    try:
        with open(path, "rb") as one:
            found.update(undefined(one))
    except (OSError, OverflowError, ValueError, IndexError, struct.error):
        pass  # unreadable, or damaged on purpose
print(*sorted(name.decode("ascii", "replace") for name in found), sep="\n")
