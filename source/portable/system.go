package portable

import (
	"context"
	"runtime"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/host"
	gnet "github.com/shirou/gopsutil/v3/net"
)

// ownProc keeps gopsutil to this host's /proc, whatever HOST_PROC says: the
// settings are this host's too.
func ownProc(ctx context.Context) context.Context {
	return context.WithValue(ctx, common.EnvKey, common.EnvMap{common.HostProcEnvKey: "/proc"})
}

// listConnections lists the TCP and UDP sockets. On Linux gopsutil would read
// /proc/PID/status for each row to get its users; elsewhere it has no such
// choice.
func listConnections(ctx context.Context) ([]gnet.ConnectionStat, error) {
	if runtime.GOOS == "linux" {
		return gnet.ConnectionsWithoutUidsWithContext(ownProc(ctx), "inet")
	}
	return gnet.ConnectionsWithContext(ctx, "inet")
}

// kernelRelease is the kernel's release, "" if unknown.
func kernelRelease() string {
	release, err := host.KernelVersion()
	if err != nil {
		return ""
	}
	return release
}
