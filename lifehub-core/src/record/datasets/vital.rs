//! `vital`: one measurement of the body.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::record::When;
use crate::record::dataset::{Aggregation, Dataset, Metric, Point};

/// One measurement of the body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vital {
    /// What was measured.
    pub kind: VitalKind,
    /// The value, in `unit`.
    pub value: f64,
    /// The unit: that of the kind, free for `other`.
    pub unit: String,
    /// What was measured, if the kind is `other`; best a slug, as it labels the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Vital {
    /// A value in the unit of its kind; see [`Vital::other`] for what has no kind.
    pub fn new(kind: VitalKind, value: f64) -> Self {
        Self { kind, value, unit: kind.unit().to_owned(), name: None }
    }

    /// A value of something that has no kind here.
    pub fn other(name: impl Into<String>, value: f64, unit: impl Into<String>) -> Self {
        Self { kind: VitalKind::Other, value, unit: unit.into(), name: Some(name.into()) }
    }
}

/// Writes the kinds once: the enum, their names and units, and the metrics.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident $name:literal $unit:literal;)+) => {
        /// What was measured. The name tells the unit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[non_exhaustive]
        pub enum VitalKind {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $kind,)+
        }

        impl VitalKind {
            /// The name in bodies and after `vital.` in metrics, `weight_kg`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// The unit; empty for [`VitalKind::Other`].
            pub fn unit(self) -> &'static str {
                match self { $(Self::$kind => $unit,)+ }
            }

            fn metric(self) -> &'static str {
                match self { $(Self::$kind => concat!("vital.", $name),)+ }
            }
        }

        const METRICS: &[Metric] = &[
            $(Metric { name: concat!("vital.", $name), unit: $unit, aggregation: Aggregation::Mean },)+
        ];
    };
}

kinds! {
    /// Weight of the body, in kilograms.
    Weight "weight_kg" "kg";
    /// Height of the body, in metres.
    Height "height_m" "m";
    /// Body mass index, in kilograms a square metre.
    BodyMassIndex "body_mass_index_kg_m2" "kg/m²";
    /// Fat as a part of the weight, from 0 to 1.
    BodyFat "body_fat_ratio" "ratio";
    /// Weight of the fat, in kilograms.
    FatMass "fat_mass_kg" "kg";
    /// Weight of all but the fat, in kilograms.
    LeanMass "lean_mass_kg" "kg";
    /// Weight of the muscles, in kilograms.
    MuscleMass "muscle_mass_kg" "kg";
    /// Weight of the bones, in kilograms.
    BoneMass "bone_mass_kg" "kg";
    /// Weight of the water in the body, in kilograms.
    BodyWater "body_water_kg" "kg";
    /// Heart rate, in beats a minute.
    HeartRate "heart_rate_bpm" "bpm";
    /// Heart rate at rest, in beats a minute.
    RestingHeartRate "resting_heart_rate_bpm" "bpm";
    /// Heart rate variability, in milliseconds (RMSSD or SDNN, as the provider has it).
    HeartRateVariability "hrv_ms" "ms";
    /// Breaths a minute.
    RespiratoryRate "respiratory_rate_bpm" "breaths/min";
    /// Oxygen saturation of the blood, from 0 to 1.
    OxygenSaturation "spo2_ratio" "ratio";
    /// Upper blood pressure, in millimetres of mercury.
    SystolicPressure "blood_pressure_systolic_mmhg" "mmHg";
    /// Lower blood pressure, in millimetres of mercury.
    DiastolicPressure "blood_pressure_diastolic_mmhg" "mmHg";
    /// Speed of the pulse wave in the arteries, in metres a second.
    PulseWaveVelocity "pulse_wave_velocity_mps" "m/s";
    /// Temperature of the body, in degrees Celsius.
    Temperature "temperature_c" "°C";
    /// Temperature of the skin, in degrees Celsius.
    SkinTemperature "skin_temperature_c" "°C";
    /// Sugar in the blood, in millimoles a litre.
    Glucose "glucose_mmol_l" "mmol/L";
    /// Largest oxygen uptake, in millilitres a minute for each kilogram of weight.
    Vo2Max "vo2_max_ml_kg_min" "mL/kg/min";
    /// Something else: the body has its name and its unit.
    Other "other" "";
}

impl Dataset for Vital {
    const NAME: &'static str = "vital";
    const TITLE: &'static str = "Body measurements";
    const METRICS: &'static [Metric] = METRICS;

    /// The label of `vital.other` is the name of what was measured.
    fn points(&self, _: &When) -> Vec<Point> {
        let name = self.name.clone().filter(|_| self.kind == VitalKind::Other);
        vec![Point::new(self.kind.metric(), self.value).label(name.unwrap_or_default())]
    }
}
