#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random programs for gv-programs: a seed in, a program out, the same one every time.

    generate.py SEED [COUNT] DIR      writes DIR/seed-N.cl for N = SEED .. SEED + COUNT - 1

Everything that C leaves open is avoided: shifts are masked, divisors made odd or nonzero, signed
arithmetic is done in unsigned types, floats are converted to integers only within range, every
variable starts with a value, loops are bounded, indices are masked, NaNs are made equal before
their bits are looked at. Lanes differ by their input.
"""
import os
import random
import sys

INTS = {"uint": 32, "int": 32, "ulong": 64, "long": 64, "ushort": 16, "short": 16, "uchar": 8, "char": 8}
FLOATS = ["float", "double", "half"]
UNSIGNED = {"int": "uint", "long": "ulong", "short": "ushort", "char": "uchar"}
VECTORS = ["uint4", "int2", "ulong2", "float4", "ushort4", "double2"]
ELEMENT = {"uint4": "uint", "int2": "int", "ulong2": "ulong", "float4": "float", "ushort4": "ushort",
           "double2": "double"}

HELPERS = """
static uint bits_half(half x)
{
	union {
		half h;
		ushort u;
	} u = {.h = x};

	return x != x ? 0x7e00u : u.u;
}

static half half_of(uint x)
{
	union {
		ushort u;
		half h;
	} u = {.u = (ushort)x};

	return u.h;
}

/* A whole number that every type holds */
static int whole_f(float x)
{
	return x > -30000.0f && x < 30000.0f ? (int)x : 77;
}

static int whole_d(double x)
{
	return x > -2e9 && x < 2e9 ? (int)x : -5;
}
"""


def array_type(t):
    """Elements of 64 bits stay in memory: in registers, the compiler gets them wrong (README.md)."""
    return f"volatile {t}" if t in ("long", "ulong", "double") else t


class Program:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.functions = []  # (name, result type, parameter types)
        self.n = 0
        self.depth = 0

    def name(self, prefix):
        self.n += 1
        return f"{prefix}{self.n}"

    def pick(self, *what):
        return self.r.choice(what)

    def scalar_type(self):
        return self.r.choice(list(INTS) * 2 + FLOATS + ["uint", "ulong", "float"])

    # ---- expressions ----

    def constant(self, t):
        if t in INTS:
            bits = INTS[t]
            v = self.pick(0, 1, 2, 3, 7, 31, self.r.getrandbits(bits), (1 << bits) - 1, 1 << (bits - 1),
                          (1 << (bits - 1)) - 1, self.r.getrandbits(8))
            v &= (1 << bits) - 1
            return f"({t}){v}{'ul' if bits == 64 else 'u'}"
        v = self.pick("0.0", "1.0", "-1.0", "0.5", "-2.5", "3.25", "1024.0", "0.1",
                      f"{self.r.uniform(-100, 100):.6g}")
        if "." not in v and "e" not in v:
            v += ".0"
        return f"({t}){v}f" if t == "float" else f"({t}){v}"

    def variable(self, t, scope):
        names = [n for n, vt in scope if vt == t]
        return self.r.choice(names) if names else None

    def convert(self, to, scope):
        """An expression of another type, converted."""
        t = self.scalar_type()
        e = self.expr(t, scope)
        if t == "double" and to == "half":  # clang-14 and libgcc disagree on x86-64
            return f"((half)(float)({e}))"
        if t in INTS or to in FLOATS:
            return f"(({to})({e}))"
        if t == "double":
            return f"(({to})whole_d({e}))"
        return f"(({to})whole_f((float)({e})))"

    def leaf(self, t, scope):
        v = self.variable(t, scope)
        if v and self.r.random() < 0.85:
            return v
        return self.constant(t)

    def expr(self, t, scope):
        self.depth += 1
        try:
            if self.depth > 4 or self.r.random() < 0.2:
                return self.leaf(t, scope)
            if self.r.random() < 0.12:
                return self.convert(t, scope)
            if self.r.random() < 0.08:
                return f"({self.condition(scope)} ? {self.expr(t, scope)} : {self.expr(t, scope)})"
            if self.r.random() < 0.08:
                call = self.call(t, scope)
                if call:
                    return call
            return self.float_expr(t, scope) if t in FLOATS else self.int_expr(t, scope)
        finally:
            self.depth -= 1

    def float_expr(self, t, scope):
        a, b = self.expr(t, scope), self.expr(t, scope)
        kind = self.r.randrange(8)
        if kind < 3:
            return f"(({t})({a} {self.pick('+', '-', '*')} {b}))"
        if kind == 3:
            return f"(({t})({a} / {b}))"
        if kind == 4:
            return f"(-{a})"
        s = {"float": "f", "double": ""}.get(t)
        if s is None:
            return f"(({t})({a} * {b} + {self.expr(t, scope)}))"
        if kind == 5:
            return f"__builtin_{self.pick('floor', 'ceil', 'trunc', 'rint', 'fabs')}{s}({a})"
        if kind == 6:
            return f"({a} < {b} ? {a} : {b})"
        return f"__builtin_fma{s}({a}, {b}, {self.expr(t, scope)})"

    def int_expr(self, t, scope):
        bits, u = INTS[t], UNSIGNED.get(t, t)
        wide = "ulong" if bits == 64 else "uint"
        signed = "long" if bits == 64 else "int"
        a, b = self.expr(t, scope), self.expr(t, scope)
        kind = self.r.randrange(16)
        if kind < 4:
            return f"(({t})(({wide})({a}) {self.pick('+', '-', '*')} ({wide})({b})))"
        if kind < 6:
            return f"(({t})({a} {self.pick('&', '|', '^')} {b}))"
        if kind == 6:
            return f"(({t})(({wide})({a}) << (({b}) & {bits - 1})))"
        if kind == 7:
            return f"(({t})(({u})({a}) >> (({b}) & {bits - 1})))"
        if kind == 8:
            return f"(({t})(({a}) >> (({b}) & {bits - 1})))"
        if kind == 9:
            return f"(({t})(({u})({a}) {self.pick('/', '%')} (({u})({b}) | ({u})1)))"
        if kind == 10 and t in UNSIGNED and bits < 64:  # 64: README.md
            return f"(({t})(({signed})({a}) {self.pick('/', '%')} (({signed})(({b}) & 0x3f) + 1)))"
        if kind == 11:
            return f"(({t}){self.pick('~', '-')}({wide})({a}))"
        if kind == 12:
            return f"(({t})({a} < {b} ? {a} : {b}))"
        if kind == 13 and bits >= 32:
            f = self.pick("popcount", "bitreverse", "bswap")
            if f == "popcount":
                return f"(({t})__builtin_popcount{'l' if bits == 64 else ''}({a}))"
            return f"(({t})__builtin_{f}{bits}({a}))"
        if kind == 14 and t == "uint":
            return f"(uint)(((ulong)({a}) * ({b})) >> 32)"
        if kind == 14 and t == "int":
            return f"(int)(((long)({a}) * ({b})) >> 32)"
        if kind == 15 and bits == 32:
            return f"(({t})rotl32((uint)({a}), (uint)({b})))"
        return f"(({t})({a} {self.pick('&', '|', '^')} {b}))"

    def condition(self, scope):
        t = self.scalar_type()
        op = self.pick("<", "<=", ">", ">=", "==", "!=")
        c = f"({self.expr(t, scope)} {op} {self.expr(t, scope)})"
        if self.r.random() < 0.2:
            t = self.scalar_type()
            c = f"({c} {self.pick('&&', '||')} !({self.expr(t, scope)} > {self.leaf(t, scope)}))"
        return c

    def call(self, t, scope):
        usable = [f for f in self.functions if f[1] == t]
        if not usable:
            return None
        name, _, params = self.r.choice(usable)
        return f"{name}({', '.join(self.leaf(p, scope) for p in params)})"

    # ---- statements ----

    def mix(self, t, e):
        """Into the checksum h."""
        if t == "float":
            return f"h = rotl32(h, 7) ^ canon32({e});"
        if t == "double":
            return f"h = rotl32(h, 9) ^ (uint)canon64({e}) ^ (uint)(canon64({e}) >> 32);"
        if t == "half":
            return f"h = rotl32(h, 3) ^ bits_half({e});"
        if INTS[t] == 64:
            return f"h = h * 31 + (uint)({e}) + (uint)((ulong)({e}) >> 32) * 7;"
        return f"h = h * 33 + (uint)({e});"

    def assignment(self, scope):
        writable = [(n, t) for n, t in scope if not n.startswith("k")]
        n, t = self.r.choice(writable)
        return f"{n} = {self.expr(t, scope)};"

    def block(self, scope, level, arrays):
        out = []
        scope = list(scope)
        for _ in range(self.r.randrange(1, 5)):
            out += self.statement(scope, level, arrays)
        return out

    def statement(self, scope, level, arrays):
        kind = self.r.random()
        ind = ["\t" + s for s in self.block(scope, level + 1, arrays)] if level < 3 and kind < 0.4 else None
        if ind and kind < 0.15:
            out = [f"if ({self.condition(scope)}) {{"] + ind
            if self.r.random() < 0.5:
                out += ["} else {"] + ["\t" + s for s in self.block(scope, level + 1, arrays)]
            return out + ["}"]
        if ind and kind < 0.28:
            k = self.name("k")
            n = self.pick("3", "5", f"({self.leaf('uint', scope)} & 7)", f"(4 + ({self.leaf('ushort', scope)} & 3))")
            inner = ["\t" + s for s in self.block(scope + [(k, "uint")], level + 1, arrays)]
            extra = []
            if self.r.random() < 0.3:
                extra = [f"\tif ({self.condition(scope)})", f"\t\t{self.pick('break', 'continue')};"]
            return [f"for (uint {k} = 0; {k} < {n}; {k}++) {{"] + extra + inner + ["}"]
        if ind and kind < 0.34:
            out = [f"switch ({self.expr('uint', scope)} & 3) {{"]
            for c in range(3):
                out += [f"case {c}: {{"] + ["\t" + s for s in self.block(scope, level + 1, arrays)] + ["}"]
                if self.r.random() < 0.8:
                    out += ["\tbreak;"]
            return out + ["default:"] + ["\t" + self.assignment(scope), "}"]
        if kind < 0.46:
            t = self.scalar_type()
            n = self.name("v")
            s = f"{t} {n} = {self.expr(t, scope)};"
            scope.append((n, t))
            return [s]
        if kind < 0.60 and arrays:
            n, t, size = self.r.choice(arrays)
            i = f"({self.expr('uint', scope)}) & {size - 1}"
            if self.r.random() < 0.6:
                return [f"{n}[{i}] = {self.expr(t, scope)};"]
            v = self.name("v")
            s = f"{t} {v} = {n}[{i}];"
            scope.append((v, t))
            return [s]
        if kind < 0.68:
            return self.vector(scope)
        if kind < 0.76:
            t = self.scalar_type()
            return [self.mix(t, self.leaf(t, scope))]
        return [self.assignment(scope)]

    def vector(self, scope):
        vt = self.r.choice(VECTORS)
        t, size = ELEMENT[vt], int(vt[-1])
        a, b = self.name("w"), self.name("w")
        items = lambda: ", ".join(self.expr(t, scope) for _ in range(size))
        op = self.pick("+", "*", "-") if t in ("float", "double") else self.pick("+", "*", "-", "^", "&")
        u = vt if t not in UNSIGNED else UNSIGNED[t] + str(size)
        swizzle = "".join(self.r.choice("xyzw"[:size]) for _ in range(size))
        lines = [f"{vt} {a} = {{{items()}}}, {b} = {{{items()}}};"]
        if u != vt:
            lines.append(f"{a} = __builtin_convertvector(__builtin_convertvector({a}, {u}) {op} "
                         f"__builtin_convertvector({b}, {u}), {vt}).{swizzle};")
        else:
            lines.append(f"{a} = ({a} {op} {b}).{swizzle};")
        v = self.name("v")
        lines.append(f"{t} {v} = {a}.{self.r.choice('xyzw'[:size])};")
        scope.append((v, t))
        return lines

    # ---- parts ----

    def function(self):
        t = self.scalar_type()
        params = [self.scalar_type() for _ in range(self.r.randrange(1, 5))]
        name = self.name("f")
        scope = [(f"p{i}", p) for i, p in enumerate(params)] + [("h", "uint")]
        lines = [f"static {self.pick('', 'NOINLINE ')}{t} {name}("
                 + ", ".join(f"{p} p{i}" for i, p in enumerate(params)) + ")", "{", "\tuint h = 5;"]
        arrays = []
        if self.r.random() < 0.5:
            at = self.scalar_type()
            arrays.append(("a0", at, 8))
            lines += [f"\t{array_type(at)} a0[8];", "\tfor (uint k0 = 0; k0 < 8; k0++)",
                      f"\t\ta0[k0] = {self.expr(at, scope + [('k0', 'uint')])};"]
        for _ in range(self.r.randrange(1, 4)):
            lines += ["\t" + s for s in self.statement(scope, 1, arrays)]
        lines += [f"\treturn {self.expr(t, scope)};", "}", ""]
        self.functions.append((name, t, params))
        return lines

    def lds(self, scope):
        """Every item writes its own cell and reads another's."""
        v = self.name("v")
        by = self.r.randrange(1, 64)
        scope.append((v, "uint"))
        return ["sync_group();", "cells[local_id(0)] = h;", "sync_group();",
                f"uint {v} = cells[(local_id(0) + {by}) & 63];"]

    def wave(self, scope):
        v = self.name("v")
        how = self.pick(f"wave_shuffle(h, lane_id() + {self.r.randrange(64)})", "wave_first(h)",
                        f"wave_read(h, {self.r.randrange(64)})", "(uint)__builtin_popcountl(wave_ballot(h & 1))",
                        f"wave_dpp(h, h * 3, {self.pick('0x1b', '0x101', '0x112', '0x124', '0x140', '0x141', '0x142')}, 0xf, 0xf, false)",
                        f"wave_swizzle(h, {self.pick('0x801b', '0x041f', '0x7c00')})")
        scope.append((v, "uint"))
        return [f"uint {v} = {how};"]

    def kernel(self):
        scope = [("x", "uint"), ("y", "int"), ("z", "ulong"), ("f", "float"), ("d", "double"), ("e", "half"),
                 ("s", "short"), ("b", "uchar"), ("h", "uint"), ("l", "long"), ("us", "ushort"), ("c", "char")]
        lines = ["KERNEL void run(GLOBAL const uint *in, GLOBAL uint *out, uint n)", "{",
                 "\tLOCAL uint cells[64];", "\tuint i = global_id(0), x = in[i], h = i;",
                 "\tint y = (int)in[(i + 1) % n];", "\tulong z = x * 0x9e3779b97f4a7c15ul ^ (ulong)y;",
                 "\tlong l = (long)z >> 7;", "\tfloat f = float_of(in[(i + 2) % n]);",
                 "\tdouble d = (double)y * 0.37 + (double)f;", "\thalf e = half_of(in[(i + 3) % n]);",
                 "\tshort s = (short)x;", "\tushort us = (ushort)(x >> 9);", "\tuchar b = (uchar)(x >> 13);",
                 "\tchar c = (char)y;"]
        arrays = []
        for _ in range(self.r.randrange(0, 3)):
            t, size = self.scalar_type(), self.pick(4, 8, 16, 32)
            n = self.name("a")
            arrays.append((n, t, size))
            lines += [f"\t{array_type(t)} {n}[{size}];", f"\tfor (uint k0 = 0; k0 < {size}; k0++)",
                      f"\t\t{n}[k0] = {self.expr(t, scope + [('k0', 'uint')])};"]
        for _ in range(self.r.randrange(4, 10)):
            part = self.r.random()
            if part < 0.12:
                lines += ["\t" + s for s in self.lds(scope)]
            elif part < 0.24:
                lines += ["\t" + s for s in self.wave(scope)]
            else:
                lines += ["\t" + s for s in self.statement(scope, 0, arrays)]
        for n, t, size in arrays:
            lines += [f"\tfor (uint k0 = 0; k0 < {size}; k0++)", "\t\t" + self.mix(t, f"{n}[k0]")]
        for n, t in scope:
            lines.append("\t" + self.mix(t, n))
        return lines + ["\tout[i] = h;", "}"]

    def text(self, seed):
        body = []
        for _ in range(self.r.randrange(0, 4)):
            body += self.function()
        body += self.kernel()
        return (f"/* generate.py {seed} */\n#include \"program.h\"\n\n"
                "PROGRAM(.grid = {256}, .block = {64}, .in = 256, .out = 256, .fill = "
                + self.pick("FILL_RANDOM", "FILL_FLOAT", "FILL_SMALL") + ")\n"
                + HELPERS + "\n" + "\n".join(body) + "\n")


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: generate.py SEED [COUNT] DIR")
    first, count = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 4 else 1
    os.makedirs(sys.argv[-1], exist_ok=True)
    for seed in range(first, first + count):
        with open(os.path.join(sys.argv[-1], f"seed-{seed}.cl"), "w") as f:
            f.write(Program(seed).text(seed))


main()
