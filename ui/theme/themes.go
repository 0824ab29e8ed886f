package theme

import "github.com/muesli/termenv"

// named is a theme by its name. Dark and light say on which grounds it is made
// to be read; looks is told how many colours there are.
type named struct {
	name        string
	dark, light bool
	looks       func(termenv.Profile) looks
}

func themes() []named {
	return []named{
		{"default", true, false, ansi}, {"light", false, true, light}, {"colorblind", true, false, colorblind},
		{"nord", true, false, nord}, {"mono", true, true, mono},
	}
}

// mono is what the other themes start from. Faint and not bright black is used
// for what steps back: bright black is next to invisible in some palettes,
// faint is at worst shown plain.
func mono(termenv.Profile) looks {
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

// ansi uses the terminal's own colours and paints no background but that of the
// selection, where there are colours enough for a quiet one. Bright red, blue
// and magenta are used, since the plain ones are too dark on black.
func ansi(p termenv.Profile) looks {
	const green, yellow, cyan, red, blue, magenta = "2", "3", "6", "9", "12", "13"
	return with(quiet(p, "#FFFFFF", "#30363F"), map[Role]look{
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
		Chart:       {fore: blue},
		OK:          {fore: green},
		Warn:        {fore: yellow, bold: true},
		Critical:    {fore: red, bold: true},
		Exhausted:   {fore: red, bold: true, invert: true},
	})
}

// light is for dark words on white, where the terminal's own yellow, green and
// cyan vanish. With 16 colours it has only those that do not.
func light(p termenv.Profile) looks {
	if p == termenv.ANSI {
		const red, blue, magenta = "1", "4", "5"
		return with(mono(p), map[Role]look{
			Brand:       {fore: blue},
			BorderFocus: {fore: blue},
			Key:         {fore: blue},
			Filter:      {fore: magenta, bold: true},
			Command:     {fore: blue},
			Assigned:    {fore: magenta},
			Active:      {},
			TimeWait:    {fore: blue},
			Live:        {},
			Blocked:     {fore: magenta},
			Chart:       {fore: blue},
			Warn:        {fore: magenta, bold: true},
			Critical:    {fore: red, bold: true},
			Exhausted:   {fore: red, bold: true, invert: true},
		})
	}
	const green, amber, red, blue, purple, teal, grey, line = "#116329", "#7D4E00", "#B3001B", "#0550AE", "#8B2FA8", "#0A6470", "#57606A", "#8C959F"
	return with(quiet(p, "#000000", "#DCE6F2"), map[Role]look{
		Dim:         {fore: grey},
		Brand:       {fore: teal, bold: true},
		Border:      {fore: line},
		BorderFocus: {fore: teal},
		Key:         {fore: teal},
		Filter:      {fore: purple, bold: true},
		Command:     {fore: green},
		Server:      {fore: grey},
		Free:        {fore: line},
		Assigned:    {fore: purple},
		Active:      {fore: green},
		TimeWait:    {fore: teal},
		Live:        {fore: green},
		Blocked:     {fore: purple},
		Chart:       {fore: blue},
		OK:          {fore: green},
		Warn:        {fore: amber, bold: true},
		Critical:    {fore: red, bold: true},
		Exhausted:   {fore: "#FFFFFF", back: red, bold: true},
	})
}

// colorblind takes its colours from Okabe and Ito, "Color Universal Design"
// (2008), which eyes without red, green or blue cones tell apart.
func colorblind(p termenv.Profile) looks {
	const orange, sky, green, vermillion, purple = "#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7"
	return with(quiet(p, "#FFFFFF", "#30363F"), map[Role]look{
		Brand:       {fore: sky, bold: true},
		BorderFocus: {fore: sky},
		Key:         {fore: sky},
		Filter:      {fore: purple, bold: true},
		Command:     {fore: sky},
		Assigned:    {fore: purple},
		Active:      {fore: sky},
		TimeWait:    {fore: green},
		Live:        {fore: sky},
		Blocked:     {fore: purple},
		Chart:       {fore: sky},
		OK:          {fore: sky},
		Warn:        {fore: orange, bold: true},
		Critical:    {fore: vermillion, bold: true},
		Exhausted:   {fore: vermillion, bold: true, invert: true},
	})
}

// nord is quiet, and for dark terminals; its colours are those of the palette
// of that name, with a darker red where white stands on it. None of 16 colours
// is like them.
func nord(p termenv.Profile) looks {
	if p == termenv.ANSI {
		return ansi(p)
	}
	const frost, ice, blue, red, orange, yellow, green, purple = "#88C0D0", "#8FBCBB", "#81A1C1", "#BF616A",
		"#D08770", "#EBCB8B", "#A3BE8C", "#B48EAD"
	const grey, line = "#7B88A1", "#4C566A"
	return with(mono(p), map[Role]look{
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
		Chart:       {fore: ice},
		OK:          {fore: green},
		Warn:        {fore: yellow, bold: true},
		Critical:    {fore: red, bold: true},
		Exhausted:   {fore: "#ECEFF4", back: "#A0404B", bold: true},
	})
}

// quiet is mono with a selection that is bold on a quiet background; of 16
// colours none is quiet.
func quiet(p termenv.Profile, fore, back string) looks {
	l := mono(p)
	if p == termenv.TrueColor || p == termenv.ANSI256 {
		l[Selected] = look{fore: fore, back: back, bold: true}
	}
	return l
}

func with(base looks, changes map[Role]look) looks {
	for role, l := range changes {
		base[role] = l
	}
	return base
}
