// Renders a chart's templates as Helm does: Go's templates with Sprig's functions, of which Helm has
// a few more that no template of ours uses.
//
//	go run render.go DIRECTORY < {"Values": ..., "Release": ..., "Chart": ...}
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"text/template"

	"github.com/Masterminds/sprig"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(directory string) error {
	var about map[string]interface{}
	// Numbers stay as they are written; Helm's are 64-bit floats, which print alike.
	if err := json.NewDecoder(os.Stdin).Decode(&about); err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	paths, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("%s: no template is there", directory)
	}
	sort.Strings(paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// As `helm install --strict` and `helm lint --strict`: what is not among values is a mistake.
		parsed, err := template.New(filepath.Base(path)).Funcs(sprig.TxtFuncMap()).
			Option("missingkey=error").Parse(string(text))
		if err != nil {
			return err
		}
		fmt.Println("---")
		if err := parsed.Execute(os.Stdout, about); err != nil {
			return err
		}
	}
	return nil
}
