// Package theme says what the dashboard's roles look like: which colour a
// TIME_WAIT has, or the border of the pane in focus. It also decides how many
// colours the terminal is given.
//
// It depends on termenv for the conversion of colours and on screen for the
// form of a style. It must not know where the roles are used.
package theme
