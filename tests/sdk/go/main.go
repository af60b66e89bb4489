// The Go SDK as a line filter; see ../README.md.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"

	"github.com/IBM/sarama"
	kafka "github.com/cloudevents/sdk-go/protocol/kafka_sarama/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/cloudevents/sdk-go/v2/types"
)

// Go writes []byte in JSON as base64, and reads it so.
type eventText struct {
	Attributes map[string]any `json:"attributes"`
	Data       *[]byte        `json:"data,omitempty"`
}

type message struct {
	Op      string            `json:"op,omitempty"`
	Binding string            `json:"binding,omitempty"`
	Mode    string            `json:"mode,omitempty"`
	Events  []eventText       `json:"events,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
	Key     string            `json:"key,omitempty"`
	Body    []byte            `json:"body,omitempty"`
	Error   string            `json:"error,omitempty"`
	Reason  string            `json:"unsupported,omitempty"`
}

var (
	isJSON = regexp.MustCompile(`^([^;]*[/+]json *(;.*)?)?$`)
	isText = regexp.MustCompile(`^text/plain *(;|$)`)
)

func eventOf(in eventText) (event.Event, error) {
	out := event.New()
	for name, value := range in.Attributes {
		text := fmt.Sprint(value)
		switch name {
		case "id":
			out.SetID(text)
		case "source":
			out.SetSource(text)
		case "type":
			out.SetType(text)
		case "subject":
			out.SetSubject(text)
		case "dataschema":
			out.SetDataSchema(text)
		case "datacontenttype":
			out.SetDataContentType(text)
		case "time":
			at, err := types.ParseTime(text)
			if err != nil {
				return out, err
			}
			out.SetTime(at)
		default:
			out.SetExtension(name, value)
		}
	}
	if in.Data == nil {
		return out, nil
	}
	kind := out.DataContentType()
	switch {
	case isJSON.MatchString(kind):
		return out, out.SetData(kind, json.RawMessage(*in.Data))
	case isText.MatchString(kind):
		return out, out.SetData(kind, string(*in.Data))
	default:
		return out, out.SetData(kind, *in.Data)
	}
}

func encode(in message) (out message, err error) {
	var events []event.Event
	for _, text := range in.Events {
		one, err := eventOf(text)
		if err != nil {
			return out, err
		}
		events = append(events, one)
	}
	ctx := binding.WithForceBinary(context.Background())
	if in.Mode == "structured" {
		ctx = binding.WithForceStructured(context.Background())
	}
	out.Headers = map[string]string{}
	if in.Binding == "kafka" {
		if in.Mode == "batch" {
			return message{Reason: "its Kafka binding has no function that writes a batch"}, nil
		}
		var record sarama.ProducerMessage
		if err = kafka.WriteProducerMessage(ctx, binding.ToMessage(&events[0]), &record); err != nil {
			return out, err
		}
		for _, header := range record.Headers {
			out.Headers[string(header.Key)] = string(header.Value)
		}
		if record.Key != nil {
			key, _ := record.Key.Encode()
			out.Key = string(key)
		}
		if record.Value != nil {
			out.Body, err = record.Value.Encode()
		}
		return out, err
	}
	var request *http.Request
	if in.Mode == "batch" {
		request, err = cehttp.NewHTTPRequestFromEvents(ctx, "http://localhost/", events)
	} else {
		request, err = cehttp.NewHTTPRequestFromEvent(ctx, "http://localhost/", events[0])
	}
	if err != nil {
		return out, err
	}
	for name, values := range request.Header {
		out.Headers[name] = values[0]
	}
	if request.Body != nil {
		out.Body, err = io.ReadAll(request.Body)
	}
	return out, err
}

func decode(in message) (out message, err error) {
	var read binding.Message
	if in.Binding == "kafka" {
		headers := map[string][]byte{}
		for name, value := range in.Headers {
			headers[name] = []byte(value)
		}
		read = kafka.NewMessage(in.Body, in.Headers["content-type"], headers)
	} else {
		header := http.Header{}
		for name, value := range in.Headers {
			header.Set(name, value)
		}
		read = cehttp.NewMessage(header, io.NopCloser(bytes.NewReader(in.Body)))
	}
	one, err := binding.ToEvent(context.Background(), read)
	if err != nil {
		return out, err
	}
	data := one.DataEncoded
	one.DataEncoded = nil
	text, err := json.Marshal(one)
	if err != nil {
		return out, err
	}
	var attributes map[string]any
	if err = json.Unmarshal(text, &attributes); err != nil {
		return out, err
	}
	event := eventText{Attributes: attributes}
	if data != nil {
		event.Data = &data
	}
	return message{Events: []eventText{event}}, nil
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var in, out message
		if err = json.Unmarshal(line, &in); err == nil && in.Op == "encode" {
			out, err = encode(in)
		} else if err == nil {
			out, err = decode(in)
		}
		if err != nil {
			out = message{Error: err.Error()}
		}
		text, _ := json.Marshal(out)
		fmt.Println(string(text))
	}
}
