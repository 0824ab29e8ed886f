// Package tables reads the kernels socket tables.
package tables
