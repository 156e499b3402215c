"""The closed sets of words: each with its meaning beside it. Titles per language belong to the reference data, not here."""

from enum import StrEnum
from typing import Literal, get_args

Language = Literal["en", "fr", "es", "ar", "ru", "zh"]
"""The six languages in which content is held."""

LANGUAGES: tuple[Language, ...] = get_args(Language)

OBJECTIVES = range(1, 24)
"""The numbers of the 23 objectives of the Global Compact (A/RES/73/195, paragraph 16)."""


class Service(StrEnum):
    """A service of Tidings; each tells on a topic of its own."""

    DESK = "desk"
    INTAKE = "intake"
    PLEDGES = "pledges"
    NEWSLETTER = "newsletter"
    SOCIAL = "social"
    CALENDAR = "calendar"


class Role(StrEnum):
    """What a person may do."""

    DRAFTER = "drafter"  # writes and submits
    APPROVER = "approver"  # approves the work of others
    MODERATOR = "moderator"  # reviews submissions
    OPERATOR = "operator"  # sees operations, redrives, suspends
    ADMIN = "admin"  # manages people and partners
    AUDITOR = "auditor"  # reads everything, changes nothing
    PARTNER = "partner"  # opens the portal of one partner


class Principle(StrEnum):
    """A guiding principle of the Global Compact (A/RES/73/195, paragraph 15)."""

    PEOPLE_CENTRED = "people-centred"
    INTERNATIONAL_COOPERATION = "international-cooperation"  # the principle, not objective 23, whose short label is the same
    NATIONAL_SOVEREIGNTY = "national-sovereignty"
    RULE_OF_LAW = "rule-of-law"  # and due process
    SUSTAINABLE_DEVELOPMENT = "sustainable-development"
    HUMAN_RIGHTS = "human-rights"
    GENDER_RESPONSIVE = "gender-responsive"
    CHILD_SENSITIVE = "child-sensitive"
    WHOLE_OF_GOVERNMENT = "whole-of-government"
    WHOLE_OF_SOCIETY = "whole-of-society"


class EntityType(StrEnum):
    """What kind of body speaks."""

    STATE = "state"
    UN_ENTITY = "un-entity"
    LOCAL_AUTHORITY = "local-authority"  # a city, district or region
    CIVIL_SOCIETY = "civil-society"
    PRIVATE_SECTOR = "private-sector"
    ACADEMIA = "academia"
    OTHER = "other"


class Region(StrEnum):
    """A review region: the States of one UN Regional Commission. A State may belong to more than one."""

    AFRICA = "africa"  # ECA
    ARAB_STATES = "arab-states"  # ESCWA
    ASIA_PACIFIC = "asia-pacific"  # ESCAP
    EUROPE_NORTH_AMERICA = "europe-north-america"  # ECE
    LATIN_AMERICA_CARIBBEAN = "latin-america-caribbean"  # ECLAC


class Level(StrEnum):
    """How far something reaches: a Talk, a statement, a contribution."""

    GLOBAL = "global"
    REGIONAL = "regional"
    NATIONAL = "national"


class Scope(StrEnum):
    """How far a pledge reaches; unlike a level it may be local."""

    GLOBAL = "global"
    REGIONAL = "regional"
    NATIONAL = "national"
    LOCAL = "local"


class PledgeKind(StrEnum):
    """What is promised."""

    FINANCIAL = "financial"  # money, with amount and currency
    IN_KIND = "in-kind"  # people, time or skills without payment
    PROCESS = "process"  # how work is done: consulting, reviewing, reporting
    POLICY = "policy"  # a law, plan, procedure or rule changed


class PledgeWay(StrEnum):
    """How a pledge is made: a second axis beside its kind."""

    INDIVIDUAL = "individual"
    COMMON = "common"  # several parties make the same promise; recorded once
    PARTNERSHIP = "partnership"  # several parties carry one promise together; recorded once, by one of them
    MATCHING = "matching"  # answers another pledge, which it names


class PledgeState(StrEnum):
    """How far a pledge has come, as its owner says."""

    NOT_STARTED = "not-started"
    PLANNING = "planning"
    IN_PROGRESS = "in-progress"
    FULFILLED = "fulfilled"
    DISCONTINUED = "discontinued"
    SUPERSEDED = "superseded"  # another pledge took its place


class TalkFormat(StrEnum):
    """How a GCM Talk is attended."""

    IN_PERSON = "in-person"
    ONLINE = "online"
    HYBRID = "hybrid"


class NewsKind(StrEnum):
    """What kind of news an item is."""

    STATEMENT = "statement"
    PRESS_RELEASE = "press-release"
    BLOG = "blog"
    NEWS = "news"


class Initiative(StrEnum):
    """One of the initiatives of the Network, as the reference data name them; an enquiry is about one of these."""

    NATIONAL_IMPLEMENTATION_PLANS = "national-implementation-plans"
    UNCT_SUPPORT = "unct-support"
    EXPERTS = "experts"
    THEMATIC_GUIDANCE = "thematic-guidance"
    WORKSTREAMS = "workstreams"
    MIGRATION_MPTF = "migration-mptf"
    HUB_PRACTICES = "hub-practices"
    HUB_DISCUSSION_SPACES = "hub-discussion-spaces"
    PLEDGING = "pledging"
    PLEDGE_UPDATE = "pledge-update"
    CHAMPION_COUNTRIES = "champion-countries"
    STAKEHOLDER_ENGAGEMENT = "stakeholder-engagement"
    CAPACITY_BUILDING = "capacity-building"
    GCM_TALKS = "gcm-talks"
    STATEMENTS_PRESS_RELEASES = "statements-press-releases"
    BLOG_SERIES = "blog-series"
    NEWSLETTER = "newsletter"
    NEWSLETTER_CONTRIBUTION = "newsletter-contribution"
    CALENDAR = "calendar"
    VISUALS_TEMPLATES = "visuals-templates"
    SOCIAL_PROMOTION = "social-promotion"
    COMMUNICATIONS_OUTREACH = "communications-outreach"
    REGIONAL_REVIEWS = "regional-reviews"
    SECRETARY_GENERAL_REPORT = "secretary-general-report"
    PROGRESS_INDICATORS = "progress-indicators"
    PEER_LEARNING_PLEDGE_SUPPORT = "peer-learning-pledge-support"
    GENERAL_ENQUIRIES = "general-enquiries"


class DateKind(StrEnum):
    """What a date in the calendar is."""

    MEETING = "meeting"
    INTERNATIONAL_DAY = "international-day"
    REGIONAL_REVIEW = "regional-review"
    REPORT = "report"  # a report or publication comes out
    TRAINING = "training"
    TALK = "talk"  # a GCM Talk; its source is the Talk
    PLEDGE_DUE = "pledge-due"  # a pledge falls due; its source is the pledge
    ACTIVITY = "activity"  # an activity of the work plan
    DEADLINE = "deadline"  # something has to be handed in
    STEERING_COMMITTEE = "steering-committee"  # the Fund's Steering Committee meets; deadlines follow from it
    BLACKOUT = "blackout"  # nothing is posted or sent on these days
    EMBARGO = "embargo"  # nothing about its source is posted or sent before it begins
    OTHER = "other"


class DateStatus(StrEnum):
    """Whether a date holds (STATUS in RFC 5545)."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    """What the reviewers say about a submission."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    QUESTION = "question"  # something has to be answered before they can decide


class Channel(StrEnum):
    """How a submission came in."""

    WEBHOOK = "webhook"
    FORM = "form"
    IMPORT = "import"
    STAFF = "staff"  # a colleague entered what came by mail, note verbale or telephone


class Network(StrEnum):
    """A social network."""

    X = "x"
    LINKEDIN = "linkedin"
    BLUESKY = "bluesky"
    MASTODON = "mastodon"


class SourceKind(StrEnum):
    """What a newsletter item, a post or a date may come from."""

    PRACTICE = "practice"
    TALK = "talk"
    NEWS = "news"
    PROMOTION = "promotion"
    CONTRIBUTION = "contribution"
    PLEDGE = "pledge"
    DATE = "date"
    ISSUE = "issue"


class SenderState(StrEnum):
    """Whether a sender sends."""

    PAUSED = "paused"
    RUNNING = "running"


class TaskEnd(StrEnum):
    """How a task ended."""

    DONE = "done"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"  # what it asked for is no longer needed


# ISO 3166-1 alpha-2, the 249 assigned codes, and XK: ISO leaves it to users, and CLDR and this Network's lists use it for Kosovo
# (references to Kosovo are to be understood in the context of Security Council resolution 1244 (1999)).
_COUNTRY_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
    CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF
    GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
    SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
    VN VU WF WS XK YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRY_CODES.split())

# Codes that ISO 3166-1 leaves to users: invented States in sample data have them, and nothing else may.
SYNTHETIC_COUNTRIES = frozenset(f"Q{letter}" for letter in "MNOPQRSTUVWXYZ")

# ISO 4217, the currencies that can be paid in (no metals, bond units, fund or test codes), by the number of their decimal places.
_DECIMAL_PLACES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK
    DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD
    KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP
    PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH
    USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
}
CURRENCIES = {code: places for places, codes in _DECIMAL_PLACES.items() for code in codes.split()}
"""ISO 4217 code of each currency, with the number of decimal places in which it is paid."""
