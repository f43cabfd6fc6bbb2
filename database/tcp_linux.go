package database

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// giveUpSilent closes a connection whose server acknowledges nothing any more:
// keep-alive alone does not while something sent is under way.
func giveUpSilent(network, _ string, c syscall.RawConn) error {
	if network == "unix" {
		return nil
	}
	var err error
	if e := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silentWait.Milliseconds()))
	}); e != nil {
		return e
	}
	return err
}
