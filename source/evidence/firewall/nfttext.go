package firewall

import (
	"strconv"
	"strings"

	"ephtop/source/evidence/host"
)

// ruleWidth is the most that is shown of a rule.
const ruleWidth = 160

// nftRuleText writes a rule as nft does, shortened.
func nftRuleText(exprs []any) string {
	var parts []string
	for _, e := range exprs {
		for name, arg := range object(e) {
			if name != "counter" && name != "comment" {
				parts = append(parts, statementText(name, object(arg)))
			}
		}
	}
	return host.Clean(strings.Join(parts, " "), ruleWidth)
}

func statementText(name string, m map[string]any) string {
	switch name {
	case "match":
		op := text(m["op"]) + " "
		if op == "== " || op == "in " {
			op = ""
		}
		return text(m["left"]) + " " + op + text(m["right"])
	case "vmap":
		return text(m["key"]) + " vmap " + text(m["data"])
	case "jump", "goto":
		return name + " " + text(m["target"])
	case "limit":
		over := ""
		if m["inv"] == true {
			over = "over "
		}
		return "limit rate " + over + text(m["rate"]) + "/" + text(m["per"])
	case "xt":
		return "xt " + text(m["type"]) + " " + text(m["name"])
	case "snat", "masquerade":
		to := text(m["addr"])
		if m["port"] != nil {
			to += ":" + text(m["port"])
		}
		if to != "" {
			return name + " to " + to
		}
	}
	return name
}

// text writes an expression or a value.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool: // of a route
		if v {
			return "exists"
		}
		return "missing"
	case []any:
		return joined(v, ",")
	case map[string]any:
		for kind, arg := range v {
			return objectText(kind, arg)
		}
	}
	return ""
}

func objectText(kind string, arg any) string {
	m := object(arg)
	switch kind {
	case "payload":
		if m["protocol"] == nil {
			return "@raw"
		}
		return text(m["protocol"]) + " " + text(m["field"])
	case "meta":
		if key := text(m["key"]); strings.HasPrefix(key, "iif") || strings.HasPrefix(key, "oif") {
			return key
		}
		return "meta " + text(m["key"])
	case "ct":
		return "ct " + text(m["key"])
	case "fib":
		return "fib " + joined(list(m["flags"]), " . ") + " " + text(m["result"])
	case "prefix":
		return text(m["addr"]) + "/" + text(m["len"])
	case "range":
		return joined(list(arg), "-")
	case "set":
		return "{ " + joined(list(arg), ", ") + " }"
	case "map":
		return text(m["key"]) + " map " + text(m["data"])
	case "concat":
		return joined(list(arg), " . ")
	case "&", "|", "^":
		return joined(list(arg), " "+kind+" ")
	case "elem":
		return text(m["val"])
	case "jump", "goto":
		return kind + " " + text(m["target"])
	}
	return kind
}

// joined writes the first values of a list.
func joined(values []any, sep string) string {
	const most = 8
	var texts []string
	for i, v := range values {
		if i == most {
			texts = append(texts, "…")
			break
		}
		if pair, is := v.([]any); is && len(pair) == 2 {
			texts = append(texts, text(pair[0])+" : "+text(pair[1]))
			continue
		}
		texts = append(texts, text(v))
	}
	return strings.Join(texts, sep)
}
