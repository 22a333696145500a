package main

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Landlock has no rule for UDP and other kinds of sockets. This filter of system calls, which needs no privileges
// either, refuses to make a socket of any kind, also by way of io_uring. Pairs of sockets and descriptors that the
// program gets from its parent still work. It stays in force for everything that the program starts.

// Offsets in `struct seccomp_data`.
const (
	offsetOfCall = 0
	offsetOfArch = 4
)

// Calls of the x32 interface of amd64, which has other numbers for the same calls, begin here.
const firstX32Call = 0x40000000

func forbidSockets() error {
	refuse := uint32(unix.SECCOMP_RET_ERRNO | uint32(unix.EACCES))
	// jt and jf are the numbers of instructions to skip.
	filter := []unix.SockFilter{
		load(offsetOfArch),
		jump(unix.BPF_JEQ, nativeArch, 0, 4),
		load(offsetOfCall),
		jump(unix.BPF_JGE, firstX32Call, 2, 0),
		jump(unix.BPF_JEQ, unix.SYS_SOCKET, 1, 0),
		jump(unix.BPF_JEQ, unix.SYS_IO_URING_SETUP, 0, 1),
		{Code: unix.BPF_RET | unix.BPF_K, K: refuse},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
	// The kernel was built without filters: the agent finds out and logs it.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}

func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

func jump(condition uint16, value uint32, jt, jf uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | condition, K: value, Jt: jt, Jf: jf}
}
