"""Becomes a program for which the kernel has no IPv6: `no_ipv6.py PROGRAM ARGUMENT…`. A seccomp filter, so it takes Linux 3.5."""
import ctypes
import os
import platform
import socket
import struct
import sys

SYSCALL_SOCKET = {"x86_64": 41, "aarch64": 198}[platform.machine()]
EAFNOSUPPORT = 97
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
# Of struct seccomp_data: the number of the call, and the lower half of its first argument.
FILTER = [(LOAD, 0, 0, 0), (EQUAL, 0, 3, SYSCALL_SOCKET), (LOAD, 0, 0, 16), (EQUAL, 0, 1, socket.AF_INET6),
          (RETURN, 0, 0, ERRNO | EAFNOSUPPORT), (RETURN, 0, 0, ALLOW)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(FILTER), b"".join(struct.pack("HBBI", *line) for line in FILTER))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program)):
        sys.exit(f"no seccomp filter here: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
