package sysctl

import (
	"time"

	"ephtop/source"
	"ephtop/source/procfs"
)

// linuxTimeWait is TCP_TIMEWAIT_LEN (include/net/tcp.h). Nothing changes it,
// tcp_fin_timeout included.
const linuxTimeWait = 60 * time.Second

// fixedReuseDelay is the age from which Linux reused a TIME_WAIT before
// net.ipv4.tcp_tw_reuse_delay existed (tcp_twsk_unique).
const fixedReuseDelay = time.Second

// Defaults are the settings of a system that nobody has tuned, by its name as
// in runtime.GOOS and the release of its kernel. They are marked as assumed.
// What has no default on that system is source.UnknownSetting.
//
// An unknown system gets the dynamic ports of IANA, 49152-65535 (RFC 6335,
// section 6). An unreadable release counts as a present one.
func Defaults(goos, release string) source.Settings {
	s := source.Settings{
		Range:         source.PortRange{Low: 49152, High: 65535},
		Assumed:       true,
		TimeWait:      linuxTimeWait,
		ReuseTimeWait: source.UnknownSetting,
		ReuseDelay:    fixedReuseDelay,
		Timestamps:    source.UnknownSetting,
		MaxTimeWait:   source.UnknownSetting,
	}
	switch goos {
	case "linux":
		s.Parity = true // __inet_hash_connect, inet_csk_find_open_port
		s.Range = source.PortRange{Low: 32768, High: 60999}
		if before, _ := procfs.ReleaseBefore(release, 4, 2); before {
			s.Range.High = 61000
		}
	case "freebsd":
		s.Range = source.PortRange{Low: 10000, High: 65535}
	case "darwin":
		s.TimeWait = 30 * time.Second // 2 × net.inet.tcp.msl
		s.PoolOnly = true             // in_pcbbind picks before the destination counts
	case "windows":
		s.TimeWait = 2 * time.Minute // TcpTimedWaitDelay in Microsoft's registry reference
	}
	s.Default = s.Range
	return s
}
