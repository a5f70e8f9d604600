#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Placeholder firmware for the stock amdgpu driver on a Vega10 VF: headers of the layout that the driver
reads, and zeros where the code would be. No byte comes from AMD's files; the emulated GPU runs none of it.

    firmware.py DIR      writes DIR/vega10_*.bin (DIR: /lib/firmware/amdgpu of the guest)

The driver checks that a file is as long as its header says and takes paths by its versions (table below); it hands
the rest to the PSP, which takes any of it. Real files of the distribution's firmware-amd-graphics serve as well:
files that are already in DIR are left as they are.
Layouts: Linux, drivers/gpu/drm/amd/amdgpu/amdgpu_ucode.h.
"""
import os
import struct
import sys

CODE_BYTES = 4096  # zeros in place of the code
CODE_AT = 256      # behind the longest header

# What the driver decides by a version. From these on it emits one packet for a register write and the wait for its effect
# (me, pfp, mec: gfx_v9_0_check_fw_write_wait) and does not warn of an old CP; a feature below 52 of the ME keeps GFXOFF off.
CP_FEATURE = 50
VERSION = {
    "pfp": 0xC1,
    "me": 0xA7,
    "ce": 0x50,
    "mec": 0x1D4,
    "mec2": 0x1D4,
    "rlc": 0x3B9,
    "sdma": 430,
    "sdma1": 430,
    "smc": 0x1C3600,
    "cap": 1,
    "uvd": 65 << 24 | 29 << 8 | 0x11,  # 65.29, family 17 (amdgpu_uvd_sw_init)
    "vce": 57 << 20 | 4 << 8 | 0,      # 57.4: from 52 on messages have the new size (amdgpu_vce_sw_init)
}
SDMA_FEATURE = 50  # from 20 on a NOP may cover several dwords

# struct gpu_info_firmware_v1_0: shader engines, CUs per array, arrays per engine, render backends per engine, L2 channels, GPRs,
# GS threads, GS table depth, GS primitive buffer, parameter cache, LDS buffers off chip, wave size, waves per SIMD, scratch slots
# per CU, LDS in KiB
GPU_INFO = (4, 16, 1, 4, 16, 256, 32, 32, 1792, 2048, 1, 64, 10, 32, 64)


def image(version, header, major=1, minor=0, payload=bytes(CODE_BYTES), at=CODE_AT):
    """struct common_firmware_header, the header that follows it, and the payload"""
    common = struct.pack("<IIHHHHIIII", at + len(payload), 32 + len(header), major, minor, 9, 0, version,
                         len(payload), at, 0)
    return (common + header).ljust(at, b"\0") + payload


def gfx(version):
    """struct gfx_firmware_header_v1_0; the jump table, loaded by itself, is the last 64 dwords"""
    return image(version, struct.pack("<III", CP_FEATURE, CODE_BYTES // 4 - 64, 64))


def rlc(version):
    """struct rlc_firmware_header_v2_0: each of its four lists is one dword of the zeros"""
    return image(version, struct.pack("<10I", 1, *[0] * 9) + struct.pack("<II", 4, CODE_AT) * 4, major=2)


def sdma(version):
    return image(version, struct.pack("<IIII", SDMA_FEATURE, 0, 0, 0))


def cap(version):
    """struct psp_firmware_header_v1_0; what a VF may do, for the PSP"""
    return image(version, struct.pack("<III", 1, 0, CODE_BYTES))


def gpu_info():
    return image(0, struct.pack("<HH", 1, 0), payload=struct.pack("<15I", *GPU_INFO), at=36)


MAKE = {"rlc": rlc, "sdma": sdma, "sdma1": sdma, "cap": cap, "smc": lambda v: image(v, struct.pack("<I", 0)),
        "uvd": lambda v: image(v, b""), "vce": lambda v: image(v, b"")}


def main(directory):
    os.makedirs(directory, exist_ok=True)
    files = {name: MAKE.get(name, gfx)(version) for name, version in VERSION.items()}
    files["gpu_info"] = gpu_info()
    for name, data in files.items():
        path = os.path.join(directory, f"vega10_{name}.bin")
        if not os.path.exists(path):
            with open(path, "wb") as f:
                f.write(data)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    main(sys.argv[1])
