"""Reads CUDA device code without CUDA's tools: cubins, their kernels, what these use and do.

A cubin is an ELF file. Since Volta an instruction is 16 bytes, its opcode the lowest 12 bits, and
the width of a memory access bits 73 to 75. In a library, cubins lie one behind another in the
section .nv_fatbin; compressed ones are not read.
"""
import collections
import struct
import subprocess

FATBIN_MAGIC = 0xBA55ED50
CUBIN_KIND = 2

OPCODES = {
    0x381: "LDG", 0x981: "LDG", 0x386: "STG", 0x986: "STG", 0x983: "LDL", 0x387: "STL",
    0x984: "LDS", 0x388: "STS", 0x988: "STS", 0x980: "LD", 0x985: "ST", 0x385: "ST",
    0x3A8: "ATOM", 0x9A8: "ATOM", 0x3A9: "ATOM", 0x9A9: "ATOM", 0x98E: "RED", 0x9A6: "RED",
    0x38E: "RED", 0xB1D: "BAR", 0x389: "SHFL", 0x589: "SHFL", 0x989: "SHFL", 0xF89: "SHFL",
    0x806: "VOTE", 0x886: "VOTE", 0x223: "FFMA", 0x918: "NOP",
}
MEMORY = {"LDG", "STG", "LDL", "STL", "LDS", "STS", "LD", "ST"}
WIDTHS = {0: 8, 1: 8, 2: 16, 3: 16, 4: 32, 5: 64, 6: 128}

# Attributes of .nv.info.KERNEL, each a format byte, an attribute byte, then a value or a size.
SIZED_FORMAT = 4
MAX_THREADS = 0x05
REGISTERS = 0x2F
FRAME_BYTES = 0x11

# From Hopper on, a block's shared memory begins with what the system keeps.
SYSTEM_SHARED_BYTES = 1024


def sections(elf):
    """(name, bytes) of each section."""
    table, = struct.unpack_from("<Q", elf, 40)
    count, names_index = struct.unpack_from("<HH", elf, 60)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, table + 64 * i) for i in range(count)]
    names = headers[names_index][4]
    for header in headers:
        begin = names + header[0]
        is_empty = header[1] == 8  # SHT_NOBITS: memory that the file does not have.
        data = bytes(header[5]) if is_empty else elf[header[4]:header[4] + header[5]]
        yield elf[begin:elf.index(b"\0", begin)].decode(), data


def cubins(library):
    """(architecture, bytes) of each cubin of a library, uncompressed."""
    for name, data in sections(library):
        if name != ".nv_fatbin":
            continue
        at = 0
        while at + 16 <= len(data):
            magic, _, header, size = struct.unpack_from("<IHHQ", data, at)
            if magic != FATBIN_MAGIC:
                at += 8
                continue
            entry, end = at + header, at + header + size
            while entry < end:
                kind, _, entry_header, entry_size = struct.unpack_from("<HHIQ", data, entry)
                arch, = struct.unpack_from("<I", data, entry + 28)
                content = data[entry + entry_header:entry + entry_header + entry_size]
                if kind == CUBIN_KIND and content[:4] == b"\x7fELF":
                    yield arch, content
                entry += entry_header + entry_size
            at = end


def count_instructions(code):
    counts = collections.Counter()
    for low, high in struct.iter_unpack("<QQ", code):
        name = OPCODES.get(low & 0xFFF, "other")
        if name == "NOP":
            continue
        counts["instructions"] += 1
        if name in MEMORY:
            name += f".{WIDTHS.get(high >> 9 & 7, 0)}"
        if name != "other":
            counts[name] += 1
    return counts


def attributes(info):
    """(attribute, its bytes) of a section .nv.info*."""
    at = 0
    while at + 4 <= len(info):
        form, attribute, size = struct.unpack_from("<BBH", info, at)
        at += 4
        if form == SIZED_FORMAT:
            yield attribute, info[at:at + size]
            at += size


def symbol_names(by_name):
    """The name of each symbol, by its number."""
    names = by_name[".strtab"]
    for begin, _, _, _, _, _ in struct.iter_unpack("<IBBHQQ", by_name[".symtab"]):
        yield names[begin:names.index(b"\0", begin)].decode()


def demangled(names):
    done = subprocess.run(["c++filt"], input="\n".join(names), text=True, check=True,
                          stdout=subprocess.PIPE)
    return done.stdout.split("\n")


def kernels(arch, cubin):
    """{mangled name: facts} of each kernel of a cubin: counts of instructions, and what it uses."""
    by_name = dict(sections(cubin))
    found = {}
    for section, code in by_name.items():
        if section.startswith(".text."):
            name = section[len(".text."):]
            shared = len(by_name.get(f".nv.shared.{name}", b""))
            facts = count_instructions(code)
            facts["shared_bytes"] = shared - (SYSTEM_SHARED_BYTES if arch >= 90 and shared else 0)
            for attribute, value in attributes(by_name.get(f".nv.info.{name}", b"")):
                if attribute == MAX_THREADS:
                    facts["threads"], = struct.unpack_from("<I", value)
            found[name] = facts
    symbols = list(symbol_names(by_name))
    for attribute, value in attributes(by_name.get(".nv.info", b"")):
        if attribute in (REGISTERS, FRAME_BYTES):
            symbol, number = struct.unpack("<II", value)
            fact = "registers" if attribute == REGISTERS else "frame_bytes"
            if symbols[symbol] in found:
                found[symbols[symbol]][fact] = number
    return found
