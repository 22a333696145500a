// Substitutes variables with the packages of Flux, in the way of its kustomize-controller, for the test that compares
// Tautline's substitution with it. Each line of standard input is a JSON object with the text of a manifest and the
// variables; each line of standard output is the JSON of the result, or the error.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/envsubst"
	"sigs.k8s.io/yaml"
)

type question struct {
	Text      string            `json:"text"`
	Variables map[string]string `json:"variables"`
	// Expressions only: the text is no YAML.
	IsPlain bool `json:"isPlain"`
}

type answer struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

func substitute(asked question) (result answer) {
	defer func() {
		if reason := recover(); reason != nil {
			result = answer{Error: fmt.Sprint(reason)}
		}
	}()
	text, err := envsubst.Eval(asked.Text, func(name string) (string, bool) {
		value, exists := asked.Variables[name]
		return value, exists
	})
	if err != nil {
		return answer{Error: err.Error()}
	}
	if asked.IsPlain {
		quoted, _ := json.Marshal(text)
		return answer{Result: quoted}
	}
	converted, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Result: converted}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		if err := encoder.Encode(substitute(asked)); err != nil {
			panic(err)
		}
	}
}
