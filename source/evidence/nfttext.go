package evidence

import (
	"fmt"
	"strconv"
	"strings"
)

// ruleWidth is the most that is shown of a rule.
const ruleWidth = 160

// nftRuleText writes a rule as nft does, shortened.
func nftRuleText(exprs []any) string {
	var parts []string
	for _, e := range exprs {
		for name, arg := range object(e) {
			if text := nftStatementText(name, arg); text != "" {
				parts = append(parts, text)
			}
		}
	}
	return clean(strings.Join(parts, " "), ruleWidth)
}

func nftStatementText(name string, arg any) string {
	m := object(arg)
	switch name {
	case "counter", "comment":
		return ""
	case "match":
		op, _ := m["op"].(string)
		if op == "==" || op == "in" {
			return nftText(m["left"]) + " " + nftText(m["right"])
		}
		return nftText(m["left"]) + " " + op + " " + nftText(m["right"])
	case "vmap":
		return nftText(m["key"]) + " vmap " + nftText(m["data"])
	case "jump", "goto":
		return name + " " + nftText(m["target"])
	case "limit":
		over := ""
		if m["inv"] == true {
			over = "over "
		}
		return fmt.Sprintf("limit rate %s%s/%s", over, nftText(m["rate"]), nftText(m["per"]))
	case "xt":
		return fmt.Sprintf("xt %s %s", nftText(m["type"]), nftText(m["name"]))
	case "snat", "masquerade":
		text := name
		if m["addr"] != nil {
			text += " to " + nftText(m["addr"])
		}
		if m["port"] != nil {
			if m["addr"] == nil {
				text += " to "
			}
			text += ":" + nftText(m["port"])
		}
		return text
	}
	return name
}

// nftText writes an expression or a value.
func nftText(v any) string {
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
			return nftObjectText(kind, arg)
		}
	}
	return ""
}

func nftObjectText(kind string, arg any) string {
	m := object(arg)
	switch kind {
	case "payload":
		if m["protocol"] == nil {
			return "@raw"
		}
		return nftText(m["protocol"]) + " " + nftText(m["field"])
	case "meta":
		key := nftText(m["key"])
		if strings.HasPrefix(key, "iif") || strings.HasPrefix(key, "oif") {
			return key
		}
		return "meta " + key
	case "ct":
		return "ct " + nftText(m["key"])
	case "fib":
		return "fib " + joined(list(m["flags"]), " . ") + " " + nftText(m["result"])
	case "prefix":
		return nftText(m["addr"]) + "/" + nftText(m["len"])
	case "range":
		return joined(list(arg), "-")
	case "set":
		return "{ " + joined(list(arg), ", ") + " }"
	case "map":
		return nftText(m["key"]) + " map " + nftText(m["data"])
	case "concat":
		return joined(list(arg), " . ")
	case "&", "|", "^":
		return joined(list(arg), " "+kind+" ")
	case "elem":
		return nftText(m["val"])
	case "jump", "goto":
		return kind + " " + nftText(m["target"])
	}
	return kind
}

// joined writes the first values of a list.
func joined(values []any, sep string) string {
	const most = 8
	texts := make([]string, 0, most+1)
	for i, v := range values {
		if i == most {
			texts = append(texts, "…")
			break
		}
		if pair, is := v.([]any); is && len(pair) == 2 {
			texts = append(texts, nftText(pair[0])+" : "+nftText(pair[1]))
			continue
		}
		texts = append(texts, nftText(v))
	}
	return strings.Join(texts, sep)
}
