package theme

type named struct {
	name  string
	looks looks
}

func themes() []named {
	return []named{{"default", ansi()}, {"colorblind", colorblind()}, {"nord", nord()}, {"mono", mono()}}
}

// mono is what the other themes start from. Faint and not bright black is used
// for what steps back: bright black is next to invisible in some palettes,
// faint is at worst shown plain.
func mono() looks {
	return looks{
		Dim:         {faint: true},
		Strong:      {bold: true},
		Title:       {bold: true},
		Brand:       {bold: true},
		Border:      {faint: true},
		BorderFocus: {bold: true},
		Selected:    {invert: true},
		Key:         {bold: true},
		Filter:      {bold: true},
		Cursor:      {invert: true},
		Command:     {bold: true},
		Server:      {faint: true},
		Free:        {faint: true},
		Warn:        {bold: true},
		Critical:    {bold: true},
		Exhausted:   {bold: true, invert: true},
	}
}

// ansi uses the terminal's own colours and paints no background, so that it
// fits dark and light terminals alike. Many terminals draw bold as
// bright: that helps magenta and red on black, but bright yellow and cyan would
// vanish on white.
func ansi() looks {
	const red, green, yellow, blue, magenta, cyan = "1", "2", "3", "4", "5", "6"
	return with(mono(), map[Role]look{
		Brand:       {fore: cyan},
		BorderFocus: {fore: cyan},
		Key:         {fore: cyan},
		Filter:      {fore: magenta, bold: true},
		Command:     {fore: green},
		Assigned:    {fore: magenta, bold: true},
		Active:      {fore: green},
		TimeWait:    {fore: cyan},
		Live:        {fore: green},
		Blocked:     {fore: magenta},
		Tick:        {fore: red},
		Chart:       {fore: blue},
		OK:          {fore: green},
		Warn:        {fore: yellow},
		Critical:    {fore: red, bold: true},
		Exhausted:   {fore: red, bold: true, invert: true},
	})
}

// colorblind takes its colours from Okabe and Ito, "Color Universal Design"
// (2008), which eyes without red, green or blue cones tell apart.
func colorblind() looks {
	const orange, sky, blue, vermillion, purple = "#E69F00", "#56B4E9", "#0072B2", "#D55E00", "#CC79A7"
	return with(mono(), map[Role]look{
		Brand:       {fore: sky, bold: true},
		BorderFocus: {fore: sky},
		Key:         {fore: sky},
		Filter:      {fore: purple, bold: true},
		Command:     {fore: sky},
		Assigned:    {fore: purple},
		Active:      {fore: sky},
		TimeWait:    {fore: blue},
		Live:        {fore: sky},
		Blocked:     {fore: purple},
		Tick:        {fore: vermillion},
		Chart:       {fore: sky},
		OK:          {fore: sky},
		Warn:        {fore: orange, bold: true},
		Critical:    {fore: vermillion, bold: true},
		Exhausted:   {fore: vermillion, bold: true, invert: true},
	})
}

// nord is quiet, and for dark terminals; its colours are those of the palette
// of that name.
func nord() looks {
	const frost, ice, blue, red, orange, yellow, green, purple = "#88C0D0", "#8FBCBB", "#81A1C1", "#BF616A",
		"#D08770", "#EBCB8B", "#A3BE8C", "#B48EAD"
	const grey, line = "#7B88A1", "#4C566A"
	return with(mono(), map[Role]look{
		Dim:         {fore: grey},
		Brand:       {fore: frost, bold: true},
		Border:      {fore: line},
		BorderFocus: {fore: frost},
		Selected:    {fore: "#ECEFF4", back: "#434C5E", bold: true},
		Key:         {fore: frost},
		Filter:      {fore: purple, bold: true},
		Command:     {fore: green},
		Server:      {fore: grey},
		Free:        {fore: line},
		Assigned:    {fore: purple},
		Active:      {fore: green},
		TimeWait:    {fore: blue},
		Live:        {fore: green},
		Blocked:     {fore: purple},
		Tick:        {fore: orange},
		Chart:       {fore: ice},
		OK:          {fore: green},
		Warn:        {fore: yellow},
		Critical:    {fore: red, bold: true},
		Exhausted:   {fore: "#ECEFF4", back: red, bold: true},
	})
}

func with(base looks, changes map[Role]look) looks {
	for role, l := range changes {
		base[role] = l
	}
	return base
}
