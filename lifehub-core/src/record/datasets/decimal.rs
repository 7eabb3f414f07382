//! Exact decimal numbers, for amounts of money: binary fractions cannot hold a cent.

use std::fmt;
use std::ops::Neg;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// An exact decimal number of up to 36 digits, 30 of them after the point. As JSON: a string, `"-12.50"`.
///
/// Equal numbers have one text: at least two digits after the point, and no other zeros at its end. So a provider that
/// writes `12.5` today and `12.500` tomorrow changes nothing.
///
/// It also reads from a JSON number, as some providers send amounts: by the shortest text of the number, which is exact up
/// to 15 digits.
///
/// ```
/// # use lifehub_core::record::datasets::Decimal;
/// assert_eq!(Decimal::from_milliunits(-12_500).to_string(), "-12.50");
/// assert_eq!("1.5e-7".parse::<Decimal>()?.to_string(), "0.00000015");
/// # Ok::<(), lifehub_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Decimal {
    /// The number times ten to the power of `scale`.
    mantissa: i128,
    /// Digits after the point, at least [`MIN_SCALE`].
    scale: u8,
}

const MIN_SCALE: u8 = 2;
const MAX_SCALE: u8 = 30;
const MAX_DIGITS: u32 = 36;

impl Decimal {
    /// From thousandths, as YNAB counts: -12500 is -12.50.
    pub fn from_milliunits(milliunits: i64) -> Self {
        // 19 digits always fit.
        Self::scaled(milliunits.into(), 3).unwrap_or_default()
    }

    /// From minor units of which ten to the power of `scale` make one: 1250 cents with scale 2 are 12.50.
    ///
    /// # Errors
    /// If the scale is above 30.
    pub fn from_minor(minor: i64, scale: u8) -> Result<Self> {
        Self::scaled(minor.into(), scale.into()).ok_or_else(Self::refused)
    }

    /// Without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self { mantissa: self.mantissa.abs(), ..self }
    }

    /// With the point so many digits further to the left: 1250 pence are 12.50 pounds by two. None if that is out of
    /// range.
    ///
    /// ```
    /// # use lifehub_core::record::datasets::Decimal;
    /// let pence: Decimal = "1250.5".parse()?;
    /// assert_eq!(pence.point_left(2).unwrap().to_string(), "12.505");
    /// assert_eq!(pence.checked_add("-0.25".parse()?).unwrap().to_string(), "1250.25");
    /// # Ok::<(), lifehub_core::Error>(())
    /// ```
    pub fn point_left(self, digits: u8) -> Option<Self> {
        Self::scaled(self.mantissa, i32::from(self.scale) + i32::from(digits))
    }

    /// The exact sum, or none if that is out of range.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let part =
            |number: Self| number.mantissa.checked_mul(10_i128.checked_pow((scale - number.scale).into())?);
        Self::scaled(part(self)?.checked_add(part(other)?)?, scale.into())
    }

    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The nearest floating-point number, always finite: for charts and sums that need not be exact.
    pub fn to_f64(self) -> f64 {
        // The parser rounds once; a division would round mantissa, power and quotient.
        self.to_string().parse().unwrap_or(0.0)
    }

    /// `mantissa` divided by ten to the power of `scale`, or nothing if that is out of range.
    fn scaled(mut mantissa: i128, mut scale: i32) -> Option<Self> {
        while scale > MIN_SCALE.into() && mantissa % 10 == 0 {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        while scale < MIN_SCALE.into() {
            (mantissa, scale) = (mantissa.checked_mul(10)?, scale + 1);
        }
        let scale = u8::try_from(scale).ok().filter(|scale| *scale <= MAX_SCALE)?;
        (mantissa.unsigned_abs() < 10_u128.pow(MAX_DIGITS)).then_some(Self { mantissa, scale })
    }

    fn refused() -> Error {
        // The text stays out of the message: an amount is personal.
        Error::new(ErrorKind::Invalid, "not a decimal number of up to 36 digits, 30 of them after the point")
            .hint("write it with a point and without separators, for example -12.50")
    }
}

impl FromStr for Decimal {
    type Err = Error;

    /// Reads digits with an optional sign, point and exponent: `-12.50`, `.5`, `1e-7`.
    fn from_str(text: &str) -> Result<Self> {
        parse(text).ok_or_else(Self::refused)
    }
}

fn parse(text: &str) -> Option<Decimal> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i16>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match number.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // Zeros at the end say nothing, however many there are, and would overflow the mantissa.
    let fraction = fraction.trim_end_matches('0');
    if digits.is_empty() || digits == "." {
        return None;
    }
    let mut mantissa: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        let digit = byte.is_ascii_digit().then(|| i128::from(byte - b'0'))?;
        mantissa = mantissa.checked_mul(10)?.checked_add(digit)?;
    }
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent.into())?;
    Decimal::scaled(if negative { -mantissa } else { mantissa }, scale)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u128.pow(self.scale.into());
        let (whole, fraction) = (self.mantissa.unsigned_abs() / one, self.mantissa.unsigned_abs() % one);
        let sign = if self.is_negative() { "-" } else { "" };
        write!(f, "{sign}{whole}.{fraction:0width$}", width = self.scale.into())
    }
}

impl Neg for Decimal {
    type Output = Self;
    fn neg(self) -> Self {
        Self { mantissa: -self.mantissa, ..self }
    }
}

impl Default for Decimal {
    fn default() -> Self {
        Self { mantissa: 0, scale: MIN_SCALE }
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number as a string")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Decimal, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> std::result::Result<Decimal, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> std::result::Result<Decimal, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> std::result::Result<Decimal, E> {
        self.visit_str(&number.to_string())
    }
}

impl JsonSchema for Decimal {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Decimal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^-?[0-9]+\\.[0-9]{2,30}$", "description": "exact decimal number" })
    }

    fn inline_schema() -> bool {
        true
    }
}
