//! The variables that are simulated, and the units in which they may be asked for.

use super::climate::Weather;

/// The daily variables that the simulator knows. Open-Meteo has dozens more.
pub const VARIABLES: [&str; 7] = [
    "temperature_2m_min",
    "temperature_2m_mean",
    "temperature_2m_max",
    "precipitation_sum",
    "wind_speed_10m_max",
    "sunshine_duration",
    "weather_code",
];

/// The units of an answer: Open-Meteo's name of each, and by what a value is multiplied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Units {
    pub(super) fahrenheit: bool,
    wind: (&'static str, f64),
    inch: bool,
}

impl Units {
    /// The units by the parameters' values, of which the defaults are Celsius, km/h and mm; or the enum and the value
    /// that it does not have.
    pub(super) fn read<'a>(
        temperature: Option<&'a str>,
        wind: Option<&'a str>,
        precipitation: Option<&'a str>,
    ) -> Result<Self, (&'static str, &'a str)> {
        Ok(Self {
            fahrenheit: match temperature {
                None | Some("celsius") => false,
                Some("fahrenheit") => true,
                Some(other) => return Err(("TemperatureUnit", other)),
            },
            wind: match wind {
                None | Some("kmh") => ("km/h", 3.6),
                Some("ms") => ("m/s", 1.0),
                Some("mph") => ("mp/h", 2.236_936),
                Some("kn") => ("kn", 1.943_844),
                Some(other) => return Err(("WindspeedUnit", other)),
            },
            inch: match precipitation {
                None | Some("mm") => false,
                Some("inch") => true,
                Some(other) => return Err(("PrecipitationUnit", other)),
            },
        })
    }

    /// What the answer calls the unit of a variable.
    pub(super) fn of(self, variable: &str) -> &'static str {
        match variable {
            "precipitation_sum" if self.inch => "inch",
            "precipitation_sum" => "mm",
            "wind_speed_10m_max" => self.wind.0,
            "sunshine_duration" => "s",
            "weather_code" => "wmo code",
            _ if self.fahrenheit => "°F",
            _ => "°C",
        }
    }

    /// The value of a variable.
    pub(super) fn value(self, variable: &str, weather: &Weather) -> f64 {
        let temperature = |celsius: f64| {
            if self.fahrenheit { tenth(celsius * 1.8 + 32.0) } else { celsius }
        };
        match variable {
            "temperature_2m_min" => temperature(weather.min),
            "temperature_2m_mean" => temperature(weather.mean),
            "temperature_2m_max" => temperature(weather.max),
            "precipitation_sum" if self.inch => (weather.precipitation / 25.4 * 1e3).round() / 1e3,
            "precipitation_sum" => weather.precipitation,
            "wind_speed_10m_max" => (weather.wind * self.wind.1 * 1e2).round() / 1e2,
            "sunshine_duration" => weather.sunshine,
            _ => f64::from(weather.code),
        }
    }
}

/// Rounded to a tenth, and never a negative zero.
pub(super) fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0 + 0.0
}
