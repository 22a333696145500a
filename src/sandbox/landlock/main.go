// Command tautline-landlock confines its process by Landlock (a security module of Linux that needs no privileges), and
// then starts a program in its place:
//
//	tautline-landlock PARENT PATH... -- PROGRAM [ARGUMENT...]
//
// PARENT is the number of the process that starts it.
// The program may read and execute the files at these paths and below them. It cannot open other files, cannot make
// sockets (see seccomp.go), and cannot send signals outside the confinement. The kernel kills it when the process that started it is gone. What the kernel does not support is left out: the agent finds out
// and logs it. A path that does not exist is left out.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "tautline-landlock: %v\n", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	// The signal belongs to the thread that sets it, and stays with the program that this thread starts in its place.
	runtime.LockOSThread()
	end := slices.Index(args, "--")
	if end < 1 || end+1 == len(args) {
		return errors.New("usage: tautline-landlock PARENT PATH... -- PROGRAM [ARGUMENT...]")
	}
	parent, err := strconv.Atoi(args[0])
	if err != nil {
		return fmt.Errorf("the number of the parent: %w", err)
	}
	rules, err := readRules(args[1:end])
	if err != nil {
		return err
	}
	if err := landlock.V11.BestEffort().Restrict(rules...); err != nil {
		return err
	}
	if err := forbidSockets(); err != nil {
		return fmt.Errorf("sockets cannot be forbidden: %w", err)
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0); errno != 0 {
		return errno
	}
	// The kernel sends no signal for a parent that was gone before the call above.
	if os.Getppid() != parent {
		return errors.New("the process that started it is gone")
	}
	command := args[end+1:]
	return syscall.Exec(command[0], command, os.Environ())
}

func readRules(paths []string) ([]landlock.Rule, error) {
	var dirs, files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case info.IsDir():
			dirs = append(dirs, path)
		default:
			files = append(files, path)
		}
	}
	return []landlock.Rule{landlock.RODirs(dirs...), landlock.ROFiles(files...)}, nil
}
