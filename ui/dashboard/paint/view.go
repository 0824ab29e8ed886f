package paint

import (
	"time"

	"ephtop/model"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/ui/advice"
)

// View is everything that one frame shows. A frame is made of it and of nothing
// else, not even of the time. It is only read here.
type View struct {
	// Width and Height are the size of the screen in cells.
	Width, Height int

	// Fleet is many hosts, which are shown in place of all about one; nil for none.
	Fleet *Fleet
	// State is what is on screen; nil until a poll has succeeded, also where
	// the status is stale or ended.
	State *model.State
	// Overview is what State is one of; nil where nothing else is known.
	Overview *model.Overview
	// Namespaces are the lines of the list of namespaces, made of Overview.
	Namespaces []NamespaceLine
	// Face is the list in the largest part of the screen.
	Face Face
	// Inside says that esc leads back to another face.
	Inside bool
	// List is the connections that pass the filter, sorted. Total is how many
	// there are without the filter, and Folded says that those in TIME_WAIT are
	// folded.
	list.List
	Total  int
	Folded bool
	// Destinations are the lines of the list of destinations: indices into
	// State.TCP.Pressure.Tuples.
	Destinations []int32
	// States are the lines of the pane of states (made by [View.ListStates]),
	// Consumers those of the pane of consumers, for Group and Proto. Line i of a
	// cursor is element i.
	States    []StateLine
	Consumers []model.Consumer
	// Findings are what is wrong with the host, most urgent first. Advice is
	// each of them in words: needed where the overlay shows them. Unfolded says
	// which are told whole, and Stop where the cursor is.
	Findings []model.Finding
	Advice   []advice.Advice
	Unfolded []bool
	Stop     Stop
	// Sentence is what is read first.
	Sentence advice.Sentence

	Status   Status
	Interval time.Duration // from poll to poll
	// Slowed says why that is longer than was asked for; "" where it is not.
	Slowed string
	// Err is the last poll's error, since when it fails is ErrSince. The data
	// in State is then stale.
	Err      error
	ErrSince time.Time
	// PausedSince is when the view began to stand still, by Now, where the
	// status is paused.
	PausedSince time.Time
	// Now is the wall clock of the last tick, against which ages are taken.
	Now time.Time
	// Speed is how fast a replay or a simulated host goes; 0 for a source that
	// has no say in that.
	Speed     float64
	Timeline  Timeline
	Recording Recording
	Tracing   Tracing
	// Notice is a short line of feedback to a key ("copied …", "every 2s"),
	// shown in the footer.
	Notice string

	// Group is what the consumers are added up by, Order the order of the face,
	// Proto whose the connections are.
	Group model.Grouping
	Order list.Order
	Proto ProtoChoice
	// Names has ports shown as names of services, where they have one.
	Names bool

	Filter FilterLine
	Focus  Pane
	// Cursors are by pane.
	Cursors [NumPanes]Cursor

	// Picking says that the columns to sort by are on screen, with a letter each.
	Picking bool
	Overlay Overlay
	// Detail is the connection whose details are open (OverlayDetails).
	Detail Detail
	// Pool is the pool of translated ports whose details are open (OverlayPool);
	// without its Pool it has gone.
	Pool NamespaceLine
	// Scroll is the first line of the overlay that is shown; where that is
	// behind the last one that can be, that one is.
	Scroll int

	// Hints are the keys of the footer, most important first; the last one is
	// always there. Help is all that there are, in groups.
	Hints []Hint
	Help  []HelpGroup
}

// StateLine is one line of the pane of states.
type StateLine struct {
	State source.State
	Count int
	// Level is that of the finding that is about the state, if there is one.
	Level model.Level
}

// Hint is a key, as it is called, and what it does.
type Hint struct {
	Key, Does string
}

// HelpGroup is one titled column of the help overlay.
type HelpGroup struct {
	Title string
	Keys  []Hint
}

// Status says how fresh the data on screen is.
type Status uint8

const (
	StatusWaiting Status = iota // no poll has answered yet
	StatusLive
	StatusPaused // the view stands still, polling goes on
	StatusStale  // the last poll failed
	StatusEnded  // the source has no more moments
)

// Pane is a part of the screen that can have the focus.
type Pane uint8

const (
	PaneStates Pane = iota
	PaneConsumers
	PaneConnections
	PaneDestinations // in place of the connections, as Face says
	PaneNamespaces

	NumPanes = 5
)

// Cursor is a position in a pane's lines: the selected one, and the first one
// that is shown.
type Cursor struct {
	Line, Top int
}

// ProtoChoice says whose states, consumers and connections are shown.
type ProtoChoice uint8

const (
	ProtoTCP ProtoChoice = iota
	ProtoUDP
	ProtoBoth // added up

	NumProtoChoices = 3
)

// FilterLine is the filter as the user sees it.
type FilterLine struct {
	// Text is the filter in force, "" for none.
	Text string
	// Editing says that the line is being typed; Input is then its text with
	// the cursor at the byte offset Pos.
	Editing bool
	Input   string
	Pos     int
	// Err says what is wrong with Input; Text is then the last good filter. So it
	// is where Input is Held: the beginning of what can become right.
	Err  error
	Held bool
	// Next are the words that the one before the cursor can go on as.
	Next []string
}

// Overlay is what lies over the panes.
type Overlay uint8

const (
	OverlayNone Overlay = iota
	OverlayHelp
	OverlayDetails
	OverlayFindings
	OverlayPool
)

// Detail is a connection and where to find what is known of it.
type Detail struct {
	Tuple source.Tuple
	// Row is the index of its socket in State.Snapshot.Sockets, -1 for one that
	// has gone; Use that of its tuple in State.TCP.Pressure.Tuples, -1 for one
	// that has none.
	Row, Use int
}

// Timeline is where a replay is, or who looks back.
type Timeline struct {
	On bool
	// Back says that it is of what was polled: the live dashboard looks back
	// from the newest moment, which is Ago after the position.
	Back bool
	Ago  time.Duration
	// Pipe says that the recording comes through a pipe: it has no line.
	Pipe bool
	// First and Last are the times of the recording's ends, Position is where
	// the user is or wants to be.
	First, Last, Position time.Time
	Playing, Seeking      bool
	// Note says why the recording ends at the position, if that is not because
	// it is whole.
	Note string
	// Changes are where levels begin, the first one at the start. They are
	// known up to Scanned.
	Changes []model.LevelChange
	Scanned time.Time
}

// Tracing is whether the kernel tells the source of closes and failed connects,
// now: of what is on screen, Moment.Traced says so. A key turns it on and off, but
// for TraceNone.
type Tracing struct {
	State source.TraceState
	Why   string // it is refused, or has stopped, in words
}

// Recording is a recording that is being written.
type Recording struct {
	On    bool
	Since time.Time
	Size  int64 // in bytes
}
