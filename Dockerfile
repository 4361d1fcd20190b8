# Build first: ./mvnw package -DskipTests && docker build -t keyturn .
FROM eclipse-temurin:25-jre

WORKDIR /app
# Four layers, from the one that changes least to the one that changes most.
COPY target/quarkus-app/lib/ lib/
COPY target/quarkus-app/quarkus/ quarkus/
COPY target/quarkus-app/app/ app/
COPY target/quarkus-app/quarkus-run.jar quarkus-run.jar

USER 65532:65532
EXPOSE 9000
# A heap dump, a core dump, a crash report or an attached tool would show secret values. Half of the
# memory is for the heap; the JVM's default is a quarter. All that is written is an empty directory in /tmp.
ENTRYPOINT ["java", \
  "-XX:MaxRAMPercentage=50", \
  "-XX:+ExitOnOutOfMemoryError", \
  "-XX:-HeapDumpOnOutOfMemoryError", \
  "-XX:-CreateCoredumpOnCrash", \
  "-XX:ErrorFile=/dev/null", \
  "-XX:+DisableAttachMechanism", \
  "-XX:-UsePerfData", \
  "-jar", "quarkus-run.jar"]
