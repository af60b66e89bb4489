import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.message.MessageReader;
import io.cloudevents.core.message.MessageWriter;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import io.cloudevents.kafka.KafkaMessageFactory;
import io.cloudevents.types.Time;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** The Java SDK as a line filter; see ../README.md. */
class Main {
  static final ObjectMapper JSON = new ObjectMapper();

  static CloudEvent eventOf(JsonNode in) throws IOException {
    CloudEventBuilder out = CloudEventBuilder.v1();
    for (Map.Entry<String, JsonNode> attribute : in.get("attributes").properties()) {
      String name = attribute.getKey();
      JsonNode value = attribute.getValue();
      switch (name) {
        case "id" -> out.withId(value.asText());
        case "source" -> out.withSource(URI.create(value.asText()));
        case "type" -> out.withType(value.asText());
        case "subject" -> out.withSubject(value.asText());
        case "dataschema" -> out.withDataSchema(URI.create(value.asText()));
        case "datacontenttype" -> out.withDataContentType(value.asText());
        case "time" -> out.withTime(Time.parseTime(value.asText()));
        default -> {
          if (value.isInt()) out.withExtension(name, value.intValue());
          else if (value.isBoolean()) out.withExtension(name, value.booleanValue());
          else out.withExtension(name, value.asText());
        }
      }
    }
    if (in.has("data")) out.withData(in.get("data").binaryValue());
    return out.build();
  }

  static <R> R write(MessageWriter<?, R> writer, String mode, CloudEvent event) {
    return mode.equals("binary") ? writer.writeBinary(event) : writer.writeStructured(event, JsonFormat.CONTENT_TYPE);
  }

  static ObjectNode encode(JsonNode in) throws IOException {
    ObjectNode out = JSON.createObjectNode();
    String mode = in.get("mode").asText();
    if (mode.equals("batch")) return out.put("unsupported", "it has no function that writes a batch");
    CloudEvent event = eventOf(in.get("events").get(0));
    ObjectNode headers = out.putObject("headers");
    if (in.get("binding").asText().equals("http")) {
      write(HttpMessageFactory.createWriter(headers::put, body -> out.put("body", body)), mode, event);
      return out;
    }
    Object key = event.getExtension("partitionkey");
    var record = write(KafkaMessageFactory.createWriter("topic", key), mode, event);
    record.headers().forEach(header -> headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8)));
    if (key != null) out.put("key", key.toString());
    return out.put("body", record.value());
  }

  static ObjectNode decode(JsonNode in) throws IOException {
    byte[] body = in.path("body").binaryValue();
    MessageReader reader;
    if (in.get("binding").asText().equals("http")) {
      Map<String, String> headers = new LinkedHashMap<>();
      in.get("headers").properties().forEach(header -> headers.put(header.getKey(), header.getValue().asText()));
      reader = HttpMessageFactory.createReader(headers, body);
    } else {
      Headers headers = new RecordHeaders();
      in.get("headers").properties().forEach(header -> headers.add(header.getKey(), header.getValue().asText().getBytes(StandardCharsets.UTF_8)));
      reader = KafkaMessageFactory.createReader(headers, body);
    }
    CloudEvent event = reader.toEvent();
    ObjectNode out = JSON.createObjectNode();
    ObjectNode one = out.putArray("events").addObject();
    ObjectNode attributes = one.putObject("attributes");
    for (String name : event.getAttributeNames()) {
      if (event.getAttribute(name) != null) attributes.put(name, event.getAttribute(name).toString());
    }
    event.getExtensionNames().forEach(name -> attributes.set(name, JSON.valueToTree(event.getExtension(name))));
    if (event.getData() != null) one.put("data", event.getData().toBytes());
    return out;
  }

  public static void main(String[] arguments) throws IOException {
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line; (line = lines.readLine()) != null;) {
      ObjectNode answer;
      try {
        JsonNode in = JSON.readTree(line);
        answer = in.get("op").asText().equals("encode") ? encode(in) : decode(in);
      } catch (Exception error) {
        answer = JSON.createObjectNode().put("error", error.toString());
      }
      output.println(answer);
    }
  }
}
