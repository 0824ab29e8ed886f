package procfs

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

func TestRightsLimit(t *testing.T) {
	t.Parallel()
	both := []string{"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"}
	hidden := func(detail string) source.Limit { return source.Limit{Code: source.LimitHidden, Detail: detail} }
	others := source.Limit{Code: source.LimitOtherPIDs}
	for _, test := range []struct {
		name    string
		rights  Rights
		refused int
		want    []source.Limit
	}{
		{"all rights", Rights{}, 0, nil},
		{"a user", Rights{Missing: both}, 12, []source.Limit{hidden("12 CAP_SYS_PTRACE CAP_DAC_READ_SEARCH")}},
		{"a user to whom nobody else is even listed", Rights{Missing: both}, 0, []source.Limit{hidden("CAP_SYS_PTRACE CAP_DAC_READ_SEARCH")}},
		{"root of a user namespace", Rights{}, 3, []source.Limit{hidden("3")}},
		{"a sandbox, where nobody counted", Rights{Refused: true}, 0, []source.Limit{hidden("")}},
		{"a container", Rights{OwnPIDs: true}, 0, []source.Limit{others}},
		{"a user namespace of our own, where nobody counted", Rights{OwnUsers: true}, 0, []source.Limit{hidden("")}},
		{"a user namespace of our own", Rights{OwnUsers: true}, 3, []source.Limit{hidden("3")}},
		{"a container of a user", Rights{OwnUsers: true, OwnPIDs: true}, 0, []source.Limit{others}},
		{"a container without a capability", Rights{Missing: both[:1], OwnPIDs: true}, 1, []source.Limit{hidden("1 CAP_SYS_PTRACE"), others}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var m source.Moment
			test.rights.Limit(&m, test.refused)
			if diff := cmp.Diff(test.want, m.Limits); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
