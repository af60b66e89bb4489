# Apache Kafka's jars, by Maven, into the cache folder; kcat beside them. Sourced after common.sh.

kafka_version=${OUTRIGGER_KAFKA_VERSION:-3.9.1}
kafka_folder() { echo "$cache/kafka-$kafka_version"; }

kafka_fetch() {
  local folder slf4j=1.7.36 binding=slf4j-reload4j
  folder=$(kafka_folder)
  # Kafka 3.9 and 4.1 both speak to slf4j 1.7; 4.x has log4j 2 behind it.
  case $kafka_version in 3.*) ;; *) binding="slf4j-simple" ;; esac
  rm -rf "$folder.new"
  mkdir -p "$folder.new"
  cat >"$folder.new/pom.xml" <<POM
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>outrigger</groupId><artifactId>kafka-jars</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$kafka_version</version></dependency>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$kafka_version</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>$binding</artifactId><version>$slf4j</version></dependency>
  </dependencies>
</project>
POM
  mvn --batch-mode --no-transfer-progress -f "$folder.new/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$folder.new/libs" -DincludeScope=runtime
  ls "$folder.new/libs/kafka_2.13-$kafka_version.jar" "$folder.new/libs/kafka-tools-$kafka_version.jar"
  rm -rf "$folder"
  mv "$folder.new" "$folder"
}

ensure_maven() {
  # The compiler too: some tests have programs in Java.
  command -v javac >/dev/null || install_packages default-jdk-headless
  command -v mvn >/dev/null || install_packages maven
}

ensure_kafka() {
  ensure_maven
  [ -e "$(kafka_folder)/libs/kafka-tools-$kafka_version.jar" ] && return
  say "fetching Apache Kafka $kafka_version; once"
  quietly "kafka-$kafka_version" kafka_fetch
}
