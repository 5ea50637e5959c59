//go:build tools

// Package tools names the program that tests of discovery run, so that go.mod keeps it.
package tools

import _ "github.com/hashicorp/consul"
