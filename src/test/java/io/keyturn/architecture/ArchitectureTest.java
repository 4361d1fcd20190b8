package io.keyturn.architecture;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleName;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.BaseControl;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.PrimaryUpdateAndCacheUtils;
import io.javaoperatorsdk.operator.api.reconciler.dependent.RecentOperationCacheFiller;
import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.UUID;
import java.util.random.RandomGenerator;

/** What docs/architecture.md says about packages, as sentences that a build refuses to break. */
@AnalyzeClasses(packages = "io.keyturn", importOptions = DoNotIncludeTests.class)
class ArchitectureTest {

  /** Of a source or a provider, one of those of which there is one for each kind of store. */
  private static final String MEMBER =
      "(?!storeRef$|overlap$|member$|of$|equals$|hashCode$|toString$|<init>$).*";

  @ArchTest
  static final ArchRule dependenciesPointOneWay =
      layeredArchitecture()
          .consideringOnlyDependenciesInAnyPackage("io.keyturn..")
          .layer("api")
          .definedBy("io.keyturn.api..")
          .layer("domain")
          .definedBy("io.keyturn.domain..")
          .layer("kubernetes")
          .definedBy("io.keyturn.kubernetes..")
          .layer("network")
          .definedBy("io.keyturn.network..")
          .layer("secret")
          .definedBy("io.keyturn.secret..")
          .layer("audit")
          .definedBy("io.keyturn.audit..")
          .layer("store")
          .definedBy("io.keyturn.store..")
          .layer("workload")
          .definedBy("io.keyturn.workload..")
          .layer("gate")
          .definedBy("io.keyturn.gate..")
          .layer("controller")
          .definedBy("io.keyturn.controller..")
          .optionalLayer("ops")
          .definedBy("io.keyturn.ops..")
          .whereLayer("ops")
          .mayNotBeAccessedByAnyLayer()
          .whereLayer("controller")
          .mayOnlyBeAccessedByLayers("ops")
          .whereLayer("gate")
          .mayOnlyBeAccessedByLayers("controller", "ops")
          .whereLayer("workload")
          .mayOnlyBeAccessedByLayers("gate", "controller", "ops")
          .whereLayer("store")
          .mayOnlyBeAccessedByLayers("controller", "ops")
          .whereLayer("audit")
          .mayOnlyBeAccessedByLayers("store", "controller", "ops")
          .whereLayer("secret")
          .mayOnlyBeAccessedByLayers("store", "workload", "gate", "controller", "ops")
          .whereLayer("network")
          .mayOnlyBeAccessedByLayers("store", "gate")
          .whereLayer("kubernetes")
          .mayOnlyBeAccessedByLayers("secret", "store", "workload", "gate", "controller", "ops")
          .because(
              "docs/architecture.md: api, domain, kubernetes, network, secret, audit, then store and"
                  + " workload, gate, controller, ops");

  @ArchTest
  static final ArchRule objectsAreReadAndWrittenThroughOnePort =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.keyturn.kubernetes..", "io.keyturn.ops..")
          .and()
          .haveSimpleNameNotStartingWith("Metadata")
          .should()
          .dependOnClassesThat()
          .areAssignableTo(KubernetesClient.class)
          .because("the simulation puts another API server behind the port");

  @ArchTest
  static final ArchRule theApiKnowsNobody =
      noClasses()
          .that()
          .resideInAPackage("io.keyturn.api..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.keyturn..").and(not(resideInAPackage("io.keyturn.api.."))))
          .because("the API knows nobody");

  @ArchTest
  static final ArchRule theAuditSeesNoValue =
      noClasses()
          .that()
          .resideInAPackage("io.keyturn.audit..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.keyturn..").and(not(resideInAPackage("io.keyturn.audit.."))))
          .because("what is on record for good holds nothing that must be forgotten");

  @ArchTest
  static final ArchRule theDomainReadsNoClock =
      noClasses()
          .that()
          .resideInAPackage("io.keyturn.domain..")
          .should()
          .dependOnClassesThat()
          .areAssignableTo(Clock.class)
          .orShould()
          .callMethod(Instant.class, "now")
          .orShould()
          .callMethod(LocalDateTime.class, "now")
          .orShould()
          .callMethod(OffsetDateTime.class, "now")
          .orShould()
          .callMethod(ZonedDateTime.class, "now")
          .orShould()
          .callMethod(System.class, "currentTimeMillis")
          .orShould()
          .callMethod(System.class, "nanoTime")
          .because("the time is an argument, so that a test can choose it");

  @ArchTest
  static final ArchRule theDomainDrawsNoRandomNumber =
      noClasses()
          .that()
          .resideInAPackage("io.keyturn.domain..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("java.util.random..").or(assignableTo(RandomGenerator.class)))
          .orShould()
          .callMethod(Math.class, "random")
          .orShould()
          .callMethod(UUID.class, "randomUUID")
          .because("the same observation must lead to the same plan");

  @ArchTest
  static final ArchRule theDomainTouchesNothingOutside =
      noClasses()
          .that()
          .resideInAPackage("io.keyturn.domain..")
          .should()
          .dependOnClassesThat(
              resideInAnyPackage(
                  "io.fabric8.kubernetes.client..",
                  "io.javaoperatorsdk..",
                  "io.micrometer..",
                  "io.quarkus..",
                  "jakarta..",
                  "org.eclipse.microprofile..",
                  "org.jboss..",
                  "org.slf4j..",
                  "java.io..",
                  "java.net..",
                  "java.nio.file..",
                  "java.util.concurrent..",
                  "java.util.logging.."))
          .because("it is pure: no client, no injection, no log, no file, no thread");

  @ArchTest
  static final ArchRule theDomainSeesNoSecretValue =
      noClasses()
          .that()
          .resideInAPackage("io.keyturn.domain..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("io.keyturn.secret..")
          .because("a value that is not there cannot leak");

  @ArchTest
  static final ArchRule backendsOfStoresDoNotSeeEachOther =
      slices()
          .matching("io.keyturn.store.(*)..")
          .should()
          .notDependOnEachOther()
          .ignoreDependency(
              resideInAPackage("io.keyturn.store.."), resideInAPackage("io.keyturn.store.spi.."))
          .because("a store is added by one new package");

  @ArchTest
  static final ArchRule backendsAreReachedThroughTheRegistryAlone =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.keyturn.store..")
          .should()
          .dependOnClassesThat(
              resideInAPackage("io.keyturn.store.*..")
                  .and(not(resideInAPackage("io.keyturn.store.spi.."))))
          .because("controllers know what a store can do, and no store");

  @ArchTest
  static final ArchRule kindsOfStoresAreToldApartByThemselves =
      noClasses()
          .that()
          .resideOutsideOfPackages("io.keyturn.api..", "io.keyturn.store.*..")
          .should()
          .callMethodWhere(
              target(owner(assignableTo(Provider.class))).and(target(nameMatching(MEMBER))))
          .orShould()
          .callMethodWhere(
              target(owner(assignableTo(Source.class)))
                  .and(target(nameMatching("(?!secret$|generated$)" + MEMBER))))
          .because("what there is to know of one kind is in its package, behind the SPI");

  @ArchTest
  static final ArchRule writesGoThroughThePlainClient =
      noClasses()
          .should()
          .callMethodWhere(
              target(owner(assignableTo(BaseControl.class))).and(target(nameMatching("patch.*"))))
          .orShould()
          .dependOnClassesThat(
              assignableTo(PrimaryUpdateAndCacheUtils.class)
                  .or(assignableTo(Cleaner.class))
                  .or(simpleName("ResourceOperations"))
                  .or(resideInAnyPackage("io.javaoperatorsdk.operator.processing.dependent..")))
          .orShould()
          .callMethodWhere(
              target(owner(assignableTo(RecentOperationCacheFiller.class)))
                  .and(target(nameMatching("handleRecentResource.*"))))
          .because(
              "the framework keeps what its own helpers write, secret values included, and shows it"
                  + " to the next reconcile as if it had been read");

  @ArchTest
  static final ArchRule aNameSaysWhatAClassIs =
      classes()
          .that()
          .resideInAPackage("io.keyturn..")
          .should()
          .haveNameNotMatching(".*(Utils?|Helper|Manager|Impl)")
          .because("such names say nothing");

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("io.keyturn.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule nobodyPrints =
      noClasses()
          .should()
          .accessField(System.class, "out")
          .orShould()
          .accessField(System.class, "err")
          .because("what is said is said by a logger, an event or a status");
}
