package dashboard

import (
	"time"

	"ephtop/model"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/ui/advice"
)

// view is everything that one frame shows: Update (update.go and its
// neighbours) fills it in, draw (draw.go and its neighbours) only reads it.
type view struct {
	width, height int

	// state is what is on screen; nil until a poll has succeeded, also where
	// the status is stale or ended.
	state *model.State
	// rows are the connections that pass the filter, sorted: indices into
	// state.Snapshot.Sockets. total is how many there are without the filter.
	rows  []int32
	total int
	// states are the lines of the pane of states, consumers those of the pane
	// of consumers (for group and proto; the protocols added up for
	// protoBoth): line i of a cursor is element i. Both are made in lines.go.
	states    []stateLine
	consumers []model.Consumer

	status   status
	interval time.Duration
	// err is the last poll's error, since when it fails is errSince. The data
	// in state is then stale.
	err      error
	errSince time.Time
	// now is the wall clock of the last tick; ages of stale and paused data
	// are taken against it. It is never read in draw from anywhere else.
	now time.Time
	// speed is how fast a replay or a simulated host goes; 0 for a source that
	// has no say in that.
	speed    float64
	timeline timeline
	record   record
	// findings say what is wrong with the host, most urgent first.
	findings []finding
	// notice is a short line of feedback to a key ("copied …", "every 2s"),
	// shown in the footer until the next key.
	notice string

	group model.Grouping
	order list.Order
	proto protoChoice
	names bool // ports as service names

	filter filterLine
	focus  pane
	// cursors hold the selected line and the first line shown, by pane.
	cursors [numPanes]cursor

	overlay overlay
	// detail is the connection whose details are open (overlayDetails).
	detail detail
	// scroll is the first line of the overlay that is shown; where that is
	// behind the last one that can be, that one is.
	scroll int

	// hints are the keys of the footer, most important first; all that there
	// are, in groups, are in help.
	hints []hint
	help  []helpGroup
}

// stateLine is one line of the pane of states. Only states that some socket is
// in have a line. They stand in the order of a port's life; where the pane is
// too low for all, the largest that fit come first, in that order too.
type stateLine struct {
	state source.State
	count int
}

// helpGroup is one titled column of the help overlay.
type helpGroup struct {
	title string
	keys  []hint
}

// hint is a key, as it is called, and what it does.
type hint struct {
	key, does string
}

// finding is something that a person should know, and what to say of it.
type finding struct {
	level  model.Level
	advice advice.Advice
}

// status says how fresh the data on screen is.
type status uint8

const (
	statusWaiting status = iota // no poll has answered yet
	statusLive
	statusPaused // the view stands still, polling goes on
	statusStale  // the last poll failed
	statusEnded  // the source has no more moments
)

// pane is a part of the screen that can have the focus.
type pane uint8

const (
	paneStates pane = iota
	paneConsumers
	paneConnections

	numPanes = 3
)

// cursor is a position in a pane's lines.
type cursor struct {
	line, top int
}

// detail is a connection and where to find what is known of it.
type detail struct {
	tuple source.Tuple
	// row is the index of its socket in state.Snapshot.Sockets, -1 for one that
	// has gone; use that of its tuple in state.TCP.Pressure.Tuples, -1 for one
	// that has none.
	row, use int
}

// protoChoice says whose states, consumers and connections are shown.
type protoChoice uint8

const (
	protoTCP protoChoice = iota
	protoUDP
	protoBoth

	numProtoChoices = 3
)

// filterLine is the filter as the user sees it.
type filterLine struct {
	// text is the filter in force, "" for none.
	text string
	// editing says that the line is being typed; input is then its text with
	// the cursor at the byte offset pos.
	editing bool
	input   string
	pos     int
	// err says what is wrong with input; text is then the last good filter.
	err error
}

// overlay is what lies over the panes.
type overlay uint8

const (
	overlayNone overlay = iota
	overlayHelp
	overlayDetails
	overlayFindings
)

// timeline is what the screen shows of a replay.
type timeline struct {
	on bool
	// pipe says that the recording comes through a pipe: it has no line.
	pipe bool
	// first and last are the times of the recording's ends, position is where
	// the user is or wants to be.
	first, last, position time.Time
	playing, seeking      bool
	// note says why the recording ends at the position, if that is not because
	// it is whole.
	note string
	// changes are where levels begin, the first one at the start. They are
	// known up to scanned.
	changes []levelChange
	scanned time.Time
}

// levelChange is a moment of a recording from which another level holds.
type levelChange struct {
	time  time.Time
	level model.Level
}

// record is a recording that is being written.
type record struct {
	on    bool
	since time.Time
	size  int64
}
