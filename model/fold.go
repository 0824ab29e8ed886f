package model

import (
	"slices"

	"ephtop/source"
)

// nextToNothing is the number of ports below which a process has next to
// nothing: a hundredth of those that there are, and a tenth of those in use, so
// that on a quiet host nobody who stands out is passed over. Those that it was
// seen with count: what is inferred may as well be another's of its name. Who has
// more counts as large until it has less than half of that, so that nothing
// flickers on the border.
func nextToNothing(p *Pressure) int { return max(2, min(p.Usable/100, p.InUse/10)) }

// FoldSmall puts the processes of one name that hold next to nothing each into
// one consumer. The list, of consumers by process, is changed and returned, most
// ports first. The growth of what is folded is not known: processes come and go.
func (st *State) FoldSmall(list []Consumer) []Consumer {
	small := make(map[string]int)
	for i := range list {
		if list[i].small {
			small[st.Processes[list[i].Process].Name]++
		}
	}
	folded, at := list[:0], make(map[string]int)
	for _, c := range list {
		name := ""
		if c.small {
			name = st.Processes[c.Process].Name
		}
		if !c.small || small[name] < 2 {
			folded = append(folded, c)
			continue
		}
		_, ended := st.Exit(c.Process)
		i, ok := at[name]
		if !ok {
			i = len(folded)
			at[name], folded = i, append(folded, c)
			folded[i].Name, folded[i].Process = name, source.NoProcess
		} else {
			folded[i].add(&c)
		}
		folded[i].Rate = 0
		folded[i].Processes++
		folded[i].Ended += one(ended)
	}
	slices.SortFunc(folded, st.compareConsumers)
	return folded
}
