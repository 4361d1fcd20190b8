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
import io.keyturn.testing.LeakShape;
import io.keyturn.testing.Manifests;
import io.keyturn.testing.ShapeScan;
import io.keyturn.testing.SharedControlPlane;
import java.io.IOException;
import java.io.UncheckedIOException;
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
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Whether any value that any cluster test has made up, or Keyturn has made, or anything that looks
 * like one, is to be read anywhere but in a Secret. It runs when the JVMs of the others have ended,
 * on what they have left.
 */
@Tag("leak-scan")
class LeakIT {

  private static final Path REPORTS = Path.of("target", "failsafe-reports");
  private static final Path UNIT_REPORTS = Path.of("target", "surefire-reports");
  private static final String POSTGRES = "postgres.log";
  private static final String VAULT = "vault";

  private static List<Path> runs;

  @BeforeAll
  static void findTheRuns() {
    SharedControlPlane.requireAvailable();
    runs =
        SharedControlPlane.directories().stream()
            .filter(d -> Files.exists(d.resolve(ClusterRecord.VALUES)))
            .toList();
    assertThat(runs)
        .as("There is nothing to search: run LeakIT together with other cluster tests.")
        .isNotEmpty();
  }

  @Test
  void everythingThatTheRunsHaveLeftIsSearched() throws IOException {
    List<Path> files = files();

    assertThat(files)
        .extracting(f -> f.getFileName().toString())
        .contains("operator-1.log")
        .anyMatch(name -> name.matches("operator-[0-9]+\\.metrics"))
        .anyMatch(name -> name.startsWith("TEST-"));
    for (Path run : runs) {
      assertThat(files).contains(run.resolve("audit.log"), run.resolve("kube-apiserver.log"));
      assertThat(files).containsAll(ClusterRecord.files().stream().map(run::resolve).toList());
      assertThat(Files.readString(run.resolve(ClusterRecord.FILE + "pods.jsonl")))
          .contains("\"kind\":\"Pod\"", "\"managedFields\":");
    }
  }

  @Test
  void noValueIsReadAnywhereButInASecret() {
    LeakScan scan = new LeakScan();
    runs.forEach(run -> ClusterRecord.addValuesTo(scan, run.resolve(ClusterRecord.VALUES)));

    assertThat(scan.size()).isPositive();
    assertThat(search(scan, files())).filteredOn(hit -> !vaultTellsOfItsOwn(hit)).isEmpty();
  }

  /** Vault itself logs each lease that has ended by its whole id. */
  private static boolean vaultTellsOfItsOwn(Hit hit) {
    return hit.place().matches("vault-[0-9]+\\.log")
        && hit.owner().startsWith(ClusterRecord.LEASE_OWNER);
  }

  @Test
  void nothingThatLooksLikeAValueIsReadAnywhere() {
    assertThat(lookAlikes(files())).isEmpty();
  }

  @Test
  void whereverWhatLooksLikeAValueIsPlantedItIsFound(@TempDir Path directory) throws IOException {
    Files.createDirectory(directory.resolve(VAULT));
    List<String> places =
        List.of(
            "operator-1.log",
            "operator-1.metrics",
            "kube-apiserver.log",
            "audit.log",
            "seen-events.jsonl",
            POSTGRES,
            VAULT + "/vault-1.log");
    for (String place : places) {
      Files.writeString(
          directory.resolve(place), "first\n{\"token\": \"hvs.%s\"}\n".formatted(Team.random(15)));
    }

    assertThat(lookAlikes(searched(directory)))
        .hasSameSizeAs(places)
        .extracting(ShapeScan.Hit::shape)
        .containsOnly(LeakShape.VAULT_TOKEN);
  }

  @Test
  void whereverAValueIsPlantedItIsFound(@TempDir Path directory) throws IOException {
    try (ControlPlane plane = ControlPlane.start(directory)) {
      ClusterRecord record = ClusterRecord.start(plane);
      String namespace = plane.createNamespace("planted");
      String value = Team.newValue();
      plantInASecret(plane, namespace, value);
      plantInAnEvent(plane, namespace, value.substring(3, 11));
      plantInAnObjectThatGoes(plane, namespace, HexFormat.of().formatHex(value.getBytes(UTF_8)));
      plane
          .adminClient()
          .pods()
          .inNamespace(namespace)
          .withLabel("app", value.substring(20))
          .list();
      Files.writeString(directory.resolve("planted.log"), "password=" + value + "\n");

      Set<String> places =
          Set.of(
              "planted.log",
              "seen-events.jsonl",
              "seen-secrets.jsonl",
              "seen-configmaps.jsonl",
              "audit.log");
      Awaitility.await("it is found wherever it is")
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofSeconds(1))
          .untilAsserted(() -> {
            record.keepValues(List.of());
            LeakScan scan = new LeakScan();
            ClusterRecord.addValuesTo(scan, directory.resolve(ClusterRecord.VALUES));
            List<Hit> hits = search(scan, searched(directory));
            assertThat(hits).extracting(Hit::place).hasSameElementsAs(places);
            assertThat(hits)
                .extracting(Hit::owner)
                .containsOnly("the key password of the Secret %s/planted".formatted(namespace));
          });
    }
  }

  private static void plantInAnEvent(ControlPlane plane, String namespace, String text) {
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

  private static void plantInASecret(ControlPlane plane, String namespace, String value) {
    Secret secret = Manifests.secret("planted", "password", value);
    secret
        .getMetadata()
        .setAnnotations(
            Map.of("note", Base64.getEncoder().encodeToString(("x" + value).getBytes(UTF_8))));
    plane.adminClient().secrets().inNamespace(namespace).resource(secret).create();
  }

  private static void plantInAnObjectThatGoes(ControlPlane plane, String namespace, String text) {
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

  private static List<ShapeScan.Hit> lookAlikes(List<Path> files) {
    return files.stream()
        .flatMap(f -> shapesFor(f).search(f.getFileName().toString(), f).stream())
        .toList();
  }

  /**
   * PostgreSQL is told verifiers, and logs statements as it is told them: nobody but a superuser
   * can keep it from that. Who reads its log is as close to the passwords as who reads its tables.
   */
  private static ShapeScan shapesFor(Path file) {
    return file.endsWith(POSTGRES)
        ? ShapeScan.forAllBut(LeakShape.SCRAM_VERIFIER)
        : ShapeScan.forAll();
  }

  private static List<Hit> search(LeakScan scan, List<Path> files) {
    return files.stream()
        .flatMap(f -> scan.search(f.getFileName().toString(), f).stream())
        .toList();
  }

  /** What the control planes and operators have left, and what tests have printed. */
  private static List<Path> files() {
    return Stream.concat(
            Stream.of(REPORTS, UNIT_REPORTS).flatMap(r -> list(r, "*.{xml,txt}").stream()),
            runs.stream().flatMap(r -> searched(r).stream()))
        .toList();
  }

  /** Logs, also of stores, audit log, metrics and the record of a control plane. */
  private static List<Path> searched(Path directory) {
    return Stream.concat(
            list(directory, "*.{log,jsonl,metrics}").stream(),
            list(directory.resolve(VAULT), "*.log").stream())
        .toList();
  }

  private static List<Path> list(Path directory, String names) {
    List<Path> files = new ArrayList<>();
    if (!Files.exists(directory)) {
      return files;
    }
    try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, names)) {
      found.forEach(files::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return files;
  }
}
