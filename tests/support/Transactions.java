// Writes to a topic's partition 0 in transactions: `java Transactions.java BOOTSTRAP TOPIC STEP…`, where
// commit:3 and abort:3 are transactions of three records, plain:3 are three records outside of one, and open:3
// leaves a transaction open, for as long as the broker lets it (a minute), or until the next program ends it.
// copy-commit:TOPIC and copy-abort:TOPIC are transactions of the records in partition 0 of another topic, headers and all.
// The values of the others are {"n":0}, {"n":1}, …, over all steps. kcat has no transactions; Kafka's own client is in its jars.
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

class Transactions {
    static int n = 0;

    static KafkaProducer<String, String> producer(String bootstrap, String transactionalId) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        if (transactionalId != null) properties.put("transactional.id", transactionalId);
        return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    }

    static void send(KafkaProducer<String, String> producer, String topic, int count) {
        for (int i = 0; i < count; ++i, ++n)
            producer.send(new ProducerRecord<>(topic, 0, "k" + n % 7, "{\"n\":" + n + "}"));
        producer.flush();
    }

    static void copy(String bootstrap, String from, KafkaProducer<String, String> producer, String topic) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        var at = new TopicPartition(from, 0);
        try (var consumer = new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(List.of(at));
            consumer.seekToBeginning(List.of(at));
            long end = consumer.endOffsets(List.of(at)).get(at);
            while (consumer.position(at) < end)
                for (var record : consumer.poll(Duration.ofSeconds(1)))
                    producer.send(new ProducerRecord<>(topic, 0, record.key(), record.value(), record.headers()));
        }
        producer.flush();
    }

    public static void main(String[] arguments) {
        String bootstrap = arguments[0], topic = arguments[1];
        try (var plain = producer(bootstrap, null); var transactional = producer(bootstrap, "writer-of-" + topic)) {
            transactional.initTransactions();
            for (int i = 2; i < arguments.length; ++i) {
                String[] step = arguments[i].split(":");
                if (step[0].startsWith("copy-")) {
                    transactional.beginTransaction();
                    copy(bootstrap, step[1], transactional, topic);
                    if (step[0].equals("copy-commit")) transactional.commitTransaction();
                    else transactional.abortTransaction();
                    continue;
                }
                int count = Integer.parseInt(step[1]);
                if (step[0].equals("plain")) {
                    send(plain, topic, count);
                    continue;
                }
                transactional.beginTransaction();
                send(transactional, topic, count);
                if (step[0].equals("open")) Runtime.getRuntime().halt(0);
                if (step[0].equals("commit")) transactional.commitTransaction();
                else transactional.abortTransaction();
            }
        }
    }
}
