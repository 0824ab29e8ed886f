package evidence

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// maxKernelRecords bounds the records that are read; the buffer of the kernel
// holds far fewer.
const maxKernelRecords = 1 << 20

// kernelLog reads what the kernel's buffer holds, without waiting for more.
func (h *gatherer) kernelLog(found func(logLine)) source.Status {
	if h.Root != "/" {
		return notThere("the kernel log can only be asked of this host")
	}
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT):
		return notThere("there is no /dev/kmsg")
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return notReadable("permission denied (kernel.dmesg_restrict); run as root")
	case err != nil:
		return notReadable("%v", err)
	}
	defer unix.Close(fd)
	boot := time.Now().Add(-sinceBoot())
	buf := make([]byte, 16<<10) // a record is at most PRINTKRB_RECORD_MAX long, 8 KiB with its keys
	for range maxKernelRecords {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN), err == nil && n == 0:
			return read("")
		case errors.Is(err, unix.EPIPE), errors.Is(err, unix.EINTR): // overwritten meanwhile
			continue
		case errors.Is(err, unix.EPERM):
			return notReadable("permission denied (kernel.dmesg_restrict); run as root")
		case err != nil:
			return notReadable("%v", err)
		}
		if line, ok := parseKernelRecord(buf[:n], boot); ok {
			found(line)
		}
	}
	return read("only its oldest records")
}

// sinceBoot is the age of the clock that stamps records. Like dmesg, it counts
// time asleep, which that clock does not: on a host that slept, times are too
// early.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
