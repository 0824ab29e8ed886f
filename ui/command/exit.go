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
	switch l {
	case model.LevelOK:
		return 0
	case model.LevelWarning:
		return 1
	}
	return 2
}

// verdictStatus is the status of a checklist. What is not known is no alarm.
func verdictStatus(v model.Verdict) int {
	switch v {
	case model.VerdictWarning:
		return 1
	case model.VerdictProblem:
		return 2
	}
	return 0
}
