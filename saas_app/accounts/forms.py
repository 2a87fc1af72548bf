"""Forms for a person's profile and settings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from babel.dates import get_timezone, get_timezone_location
from wtforms import BooleanField, Form, SelectField, StringField, ValidationError
from wtforms.validators import DataRequired

from saas_app.errors import BadRequest
from saas_app.identity.preferences import AUTOMATIC, NO_EMAILS, Preferences
from saas_app.text.languages import current_language, language_name, languages
from saas_app.text.order import order_key
from saas_app.text.pictures import NotAPicture, read_picture
from saas_app.text.translation import Sentence, _
from saas_app.web.reader import THEMES, current_reader, is_zone
from saas_app.web.typed_text import at_most, clean_line

NAME_LENGTH = 128  # Logto 1.42 accepts no more

_REGIONS: Final[Mapping[str, Sentence]] = {
    "Africa": _("Africa"),
    "America": _("America"),
    "Antarctica": _("Antarctica"),
    "Arctic": _("Arctic"),
    "Asia": _("Asia"),
    "Atlantic": _("Atlantic"),
    "Australia": _("Australia"),
    "Europe": _("Europe"),
    "Indian": _("Indian Ocean"),
    "Pacific": _("Pacific"),
}
_THEME_NAMES: Final[Mapping[str, Sentence]] = {"light": _("Light"), "dark": _("Dark")}
_AUTOMATIC: Final = _("From your browser")
_UNIVERSAL: Final = "UTC"


class ProfileForm(Form):
    """What a person changes about themselves: their name, and the address of their picture."""

    name = StringField(
        _("Name"),
        filters=[clean_line],
        validators=[DataRequired(_("Enter your name.")), at_most(NAME_LENGTH)],
    )
    picture = StringField(_("Picture address"), filters=[clean_line])

    def validate_picture(self, field: StringField) -> None:
        """Check that the address is public. An empty one removes the picture."""
        if field.data:
            try:
                field.data = read_picture(field.data)
            except NotAPicture as wrong:
                raise ValidationError(wrong.reason) from None


class SettingsForm(Form):
    """How a person wants to see pages, and whether they want emails, if Workroom can send them."""

    theme = SelectField(_("Theme"), validate_choice=False)
    language = SelectField(_("Language"), validate_choice=False)
    zone = SelectField(_("Time zone"), validate_choice=False)

    emails = BooleanField(_("Email me about changes to my memberships"))

    def __init__(self, formdata: Any = None, *, offers_emails: bool = False, **values: Any) -> None:
        super().__init__(formdata, **values)
        if not offers_emails:
            del self.emails
        self.theme.choices = [(AUTOMATIC, _("Same as the system")), *_THEME_NAMES.items()]
        self.language.choices = [
            (AUTOMATIC, _AUTOMATIC),
            *((tag, language_name(tag)) for tag in languages()),
        ]
        self.zone.choices = _zone_choices(self.zone.data or AUTOMATIC)

    def validate_theme(self, field: SelectField) -> None:
        """Check that there is such a theme."""
        if field.data not in (AUTOMATIC, *THEMES):
            raise ValidationError(_("Choose one of the themes listed here."))

    def validate_language(self, field: SelectField) -> None:
        """Check that there is a catalogue of the language."""
        if field.data != AUTOMATIC and field.data not in languages():
            raise ValidationError(_("Choose one of the languages listed here."))

    def validate_zone(self, field: SelectField) -> None:
        """Check that this machine knows the zone."""
        if field.data != AUTOMATIC and not is_zone(field.data or ""):
            raise ValidationError(_("Choose one of the time zones listed here."))

    def as_preferences(self) -> Preferences:
        """Return the input. Call :meth:`validate` first."""
        return Preferences(self.language.data, self.zone.data, self.theme.data, self._email_language())

    def _email_language(self) -> str | None:
        """Return the language of emails: the one of this page, if it is automatic. None: as it was."""
        if "emails" not in self:
            return None
        return (self.language.data or current_language()) if self.emails.data else NO_EMAILS


def read_language(fields: Mapping[str, str]) -> str:
    """Return the language that a visitor chose. Raises :class:`BadRequest` if there is none like it."""
    wanted = fields.get("language", "")
    if wanted not in languages():
        raise BadRequest(_("Workroom does not know this language. Choose one at the foot of a page."))
    return wanted


def _zone_choices(current: str) -> dict[str, list[tuple[str, Any]]]:
    """Return the zones by region. A zone that has another name today is offered if it is the current one."""
    automatic: list[tuple[str, Any]] = [
        (AUTOMATIC, _AUTOMATIC),
        (_UNIVERSAL, _UNIVERSAL),
    ]
    listed = _zones_by_region(current_reader().locale)
    known = {zone for zones in listed.values() for zone, _city in zones}
    if current not in (AUTOMATIC, _UNIVERSAL) and current not in known and is_zone(current):
        automatic.append((current, current))
    return {"": automatic, **{str(_REGIONS[region].said): list(zones) for region, zones in listed.items()}}


@lru_cache(maxsize=32)
def _zones_by_region(locale: Locale) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the zones of CLDR that this machine knows, with the names of their cities."""
    known = available_timezones()
    found: dict[str, list[tuple[str, str]]] = {region: [] for region in _REGIONS}
    for zone in get_global("zone_territories"):
        region = zone.partition("/")[0]
        if region in found and zone in known:
            city = get_timezone_location(get_timezone(zone), locale=locale, return_city=True)
            found[region].append((zone, city))
    return {
        region: tuple(sorted(zones, key=lambda entry: order_key(entry[1]))) for region, zones in found.items()
    }
