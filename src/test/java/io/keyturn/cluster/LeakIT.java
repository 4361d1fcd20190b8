package io.keyturn.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.keyturn.testing.ClusterRecord;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.LeakScan;
import io.keyturn.testing.LeakScan.Hit;
import io.keyturn.testing.Manifests;
import io.keyturn.testing.SharedControlPlane;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Whether any value that any test of this JVM has made up, or Keyturn has made, is to be read
 * anywhere but in a Secret. It comes last, when the others have left their traces.
 */
@Order(Integer.MAX_VALUE)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class LeakIT {

  private static final Path REPORTS = Path.of("target", "failsafe-reports");

  private static ControlPlane plane;
  private static ClusterRecord record;

  @BeforeAll
  static void findTheRun() {
    if (SharedWorld.record().isEmpty() && ControlPlane.available().available()) {
      throw new AssertionError(
          "There is nothing to search: run LeakIT together with other cluster tests.");
    }
    plane = SharedControlPlane.get();
    record = SharedWorld.record().orElseThrow();
    SharedWorld.operator().keepMetrics();
  }

  @Test
  @Order(1)
  void everythingThatTheRunHasLeftIsSearched() {
    Awaitility.await("the reports of other classes are written").until(() -> !reports().isEmpty());
    List<String> names = files().stream().map(f -> f.getFileName().toString()).toList();

    assertThat(names)
        .contains("audit.log", "kube-apiserver.log", "operator-1.log")
        .containsAll(ClusterRecord.files())
        .anyMatch(name -> name.matches("operator-[0-9]+\\.metrics"))
        .anyMatch(name -> name.startsWith("TEST-"));
    assertThat(objects()).contains("kind: SecretBinding", "kind: Pod", "managedFields:");
  }

  @Test
  @Order(2)
  void noValueIsReadAnywhereButInASecret() {
    LeakScan scan = valuesOfTheRun();

    assertThat(scan.size()).isPositive();
    assertThat(everywhere(scan)).isEmpty();
  }

  /** The last: from then on there is something to find. */
  @Test
  @Order(3)
  void whereverAValueIsPlantedItIsFound() throws IOException {
    String namespace = SharedControlPlane.newNamespace("planted");
    String value = Team.newValue();
    // The record alone knows it then, as it does what Keyturn makes.
    Team.VALUES.remove(value);
    plantInASecret(namespace, value);
    plantInAnEvent(namespace, value.substring(3, 11));
    plantInAnObjectThatGoes(namespace, HexFormat.of().formatHex(value.getBytes(UTF_8)));
    plantInARequest(namespace, value.substring(0, 20));
    Files.writeString(plane.directory().resolve("planted.log"), "password=" + value + "\n");

    Set<String> places =
        Set.of(
            "planted.log",
            "objects",
            "seen-events.jsonl",
            "seen-secrets.jsonl",
            "seen-configmaps.jsonl",
            "audit.log");
    Awaitility.await("it is found wherever it is")
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofSeconds(1))
        .untilAsserted(() -> {
          List<Hit> hits = everywhere(valuesOfTheRun());
          assertThat(hits).extracting(Hit::place).hasSameElementsAs(places);
          assertThat(hits)
              .extracting(Hit::owner)
              .containsOnly("the key password of the Secret %s/planted".formatted(namespace));
        });
  }

  private static LeakScan valuesOfTheRun() {
    LeakScan scan = new LeakScan();
    record.addValuesTo(scan);
    Team.VALUES.forEach(value -> scan.add(LeakScan.anonymous(value), value));
    return scan;
  }

  private static void plantInAnEvent(String namespace, String text) {
    plane
        .adminClient()
        .events()
        .v1()
        .events()
        .resource(
            new EventBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName("planted")
                .endMetadata()
                .withEventTime(new MicroTime("2026-11-24T12:00:00.000000Z"))
                .withType("Normal")
                .withReason("Planted")
                .withAction("Planted")
                .withNote("The password is " + text + ".")
                .withReportingController("keyturn.io/test")
                .withReportingInstance("test")
                .withRegarding(
                    new ObjectReferenceBuilder()
                        .withKind("Namespace")
                        .withName(namespace)
                        .withNamespace(namespace)
                        .build())
                .build())
        .create();
  }

  private static void plantInASecret(String namespace, String value) {
    Secret secret = Manifests.secret("planted", "password", value);
    secret
        .getMetadata()
        .setAnnotations(
            Map.of("note", Base64.getEncoder().encodeToString(("x" + value).getBytes(UTF_8))));
    plane.adminClient().secrets().inNamespace(namespace).resource(secret).create();
  }

  private static void plantInAnObjectThatGoes(String namespace, String text) {
    var planted =
        plane
            .adminClient()
            .configMaps()
            .inNamespace(namespace)
            .resource(
                new ConfigMapBuilder()
                    .withNewMetadata()
                    .withName("planted")
                    .addToAnnotations("note", text)
                    .endMetadata()
                    .build());
    planted.create();
    planted.delete();
  }

  private static void plantInARequest(String namespace, String text) {
    plane.adminClient().pods().inNamespace(namespace).withLabel("app", text).list();
  }

  private static List<Hit> everywhere(LeakScan scan) {
    return Stream.concat(
            files().stream().flatMap(f -> scan.search(f.getFileName().toString(), f).stream()),
            scan.search("objects", objects()).stream())
        .toList();
  }

  /** Each object that there is, of each kind but Secrets: their metadata is on record. */
  private static String objects() {
    String kinds =
        succeeded(plane.kubectl("api-resources", "--verbs=list", "--output=name"))
            .lines()
            .filter(kind -> !kind.equals("secrets"))
            .collect(Collectors.joining(","));
    return succeeded(
        plane.kubectl("get", kinds, "--all-namespaces", "--output=yaml", "--show-managed-fields"));
  }

  private static String succeeded(ControlPlane.Result result) {
    assertThat(result.succeeded()).as(result.stderr()).isTrue();
    return result.stdout();
  }

  /** Logs, audit log, metrics and the record of the control plane, and what tests have printed. */
  private static List<Path> files() {
    List<Path> all = new ArrayList<>(reports());
    all.addAll(list(plane.directory(), "*.{log,jsonl,metrics}"));
    return all;
  }

  /**
   * Reports of this run, with output and failures; those of other classes, for ours comes later.
   */
  private static List<Path> reports() {
    long begun = ManagementFactory.getRuntimeMXBean().getStartTime();
    return list(REPORTS, "*.{xml,txt}").stream()
        .filter(f -> f.toFile().lastModified() >= begun)
        .toList();
  }

  private static List<Path> list(Path directory, String names) {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, names)) {
      found.forEach(files::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return files;
  }
}
