package command

import "ephtop/model"

// exitStatus ends a command that did its work with a status that is an answer
// by itself, as scripts ask for it. It is no failure, and nothing is said.
type exitStatus int

func (exitStatus) Error() string { return "" }

// exit gives no error for status 0.
func exit(status int) error {
	if status == statusOK {
		return nil
	}
	return exitStatus(status)
}

// levelStatus is the status of a monitoring plugin.
func levelStatus(l model.Level) int {
	return [...]int{model.LevelOK: 0, model.LevelWarning: 1, model.LevelCritical: 2, model.LevelExhausted: 2}[l]
}

// verdictStatus is the status of a checklist. What is not known is no alarm.
func verdictStatus(v model.Verdict) int {
	return [...]int{model.VerdictOK: 0, model.VerdictUnknown: 0, model.VerdictWarning: 1, model.VerdictProblem: 2}[v]
}
