"""An issue as an editor would make it: in six languages, with every kind of block, and with texts that some of them lack."""

from dataclasses import replace
from uuid import UUID

from services.newsletter.compose.blocks import Block, Button, Divider, Heading, Item, Passage, Picture
from services.newsletter.compose.edition import Edition, Month
from shared.events.codes import LANGUAGES, Level, SourceKind

SITE = "https://tidings.example.org"

BLOCKS: tuple[Block, ...] = (
    Passage(
        id="welcome",
        text={
            "en": "Dear colleagues,\n\nthis month **fourteen pledges** were made, and the regional review has its dates. "
            "All of them stand in the [register of pledges](https://tidings.example.org/pledges/); questions go to "
            "[the secretariat](mailto:news@example.org).\n\n- what came from around the world\n- what countries shared\n- what comes next",
            "fr": "Chères et chers collègues,\n\nce mois-ci, **quatorze engagements** ont été pris et les dates de l’examen régional sont "
            "connues. Tous figurent dans le [registre](https://tidings.example.org/pledges/).\n\n- le monde\n- les pays\n- la suite",
            "es": "Estimadas y estimados colegas:\n\neste mes se asumieron **catorce compromisos** y ya hay fechas. "
            "Todos figuran en el [registro](https://tidings.example.org/pledges/).\n\n- el mundo\n- los países\n- lo que viene",
            "ar": "الزميلات والزملاء الأعزاء،\n\nشهد هذا الشهر تقديم **أربعة عشر تعهدًا**، وحُددت مواعيد الاستعراض الإقليمي. "
            "وترد جميعها في [سجل التعهدات](https://tidings.example.org/pledges/).\n\n"
            "- ما جاء من أنحاء العالم\n- ما شاركته البلدان\n- ما سيأتي",
            "ru": "Уважаемые коллеги!\n\nВ этом месяце было принято **четырнадцать обязательств**. "
            "Все они внесены в [реестр](https://tidings.example.org/pledges/).\n\n- новости со всего мира\n- опыт стран\n- ближайшие даты",
            "zh": "各位同事：\n\n本月共作出**十四项承诺**，区域审查的日期也已确定。全部内容见[承诺登记册](https://tidings.example.org/pledges/)。"
            "各会员国和伙伴在安全、有序和正常移民方面的工作，继续按全球、区域和国家三个层面列出，"
            "便于读者查阅。\n\n- 世界各地\n- 各国经验\n- 下一步",
        },
    ),
    Picture(
        id="nurses",
        address="https://tidings.example.org/newsletter/pictures/two-nurses.png",
        width=1200,
        height=600,
        alternative={
            "en": "Two nurses unfold a table beside an orange grove",
            "fr": "Deux infirmières déplient une table près d’une orangeraie",
            "es": "Dos enfermeras despliegan una mesa junto a un naranjal",
            "ar": "ممرضتان تفتحان طاولة قرب بستان برتقال",
            "ru": "Две медсестры раскладывают стол у апельсиновой рощи",
            "zh": "两名护士在橙园旁展开一张桌子",
        },
        caption={"en": "© Ministry of Health, invented for this issue"},
    ),
    Heading(
        id="shared",
        title={
            "en": "Shared this month",
            "fr": "Partagé ce mois-ci",
            "es": "Compartido este mes",
            "ar": "ما شورك هذا الشهر",
            "ru": "Опыт этого месяца",
            "zh": "本月分享",
        },
    ),
    Item(
        id="clinics",
        title={
            "en": "Mobile clinics that follow the harvest",
            "fr": "Des cliniques mobiles qui suivent la récolte",
            "ar": "عيادات متنقلة تتبع موسم الحصاد",
            "zh": "跟随收获季节的流动诊所",
        },
        summary={
            "en": "Seasonal workers see a nurse where they work, in their own language, **without papers being asked for**.",
            "fr": "Les travailleurs saisonniers voient une infirmière là où ils travaillent, dans leur langue.",
            "ar": "يلتقي العمال الموسميون بممرضة في مكان عملهم وبلغتهم.",
            "zh": "季节工人在工作地点用自己的语言就诊。",
        },
        entity="Ministry of Health of Examplia",
        level=Level.NATIONAL,
        source_kind=SourceKind.PRACTICE,
        source_id="0199a000-0000-7000-8000-000000000001",
        address="https://tidings.example.org/practices/mobile-clinics",
    ),
    Item(
        id="talk",
        title={"en": "GCM Talk: recruitment without fees", "es": "Diálogo sobre el Pacto Mundial: contratación sin comisiones"},
        summary={"en": "Objective 6, with employers and unions from four regions. 12 December, 14:00 in Geneva, online."},
        entity="International Labour Organization",
        level=Level.GLOBAL,
        source_kind=SourceKind.TALK,
        source_id="0199a000-0000-7000-8000-000000000002",
        address="https://tidings.example.org/talks/recruitment-without-fees",
    ),
    Item(
        id="pledge",
        title={"fr": "Trois villes s’engagent à ouvrir leurs écoles", "ru": "Три города обязуются открыть школы для всех детей"},
        summary={"fr": "Accra, Quito et Montréal inscrivent tout enfant, quel que soit son statut."},
        entity="Mayors Migration Council",
        level=Level.REGIONAL,
        source_kind=SourceKind.PLEDGE,
        source_id="0199a000-0000-7000-8000-000000000003",
        address="https://tidings.example.org/pledges/0199a000",
    ),
    Button(
        id="register",
        label={
            "en": "Register for the Talk",
            "fr": "S’inscrire au dialogue",
            "es": "Inscribirse en el diálogo",
            "ar": "التسجيل في الحوار",
            "ru": "Зарегистрироваться",
            "zh": "报名参加",
        },
        address="https://tidings.example.org/talks/recruitment-without-fees#register",
    ),
    Divider(id="line"),
    Passage(
        id="next",
        text={
            "en": "# Next issue\nItems for December are taken until **20 December**.\n\n> Nothing about us without us.\n\n"
            "1. Send a [practice](https://tidings.example.org/intake/submit/practice).\n2. We confirm it.\n3. It is read by 20,000.",
            "ar": "# العدد القادم\nتُقبل مواد كانون الأول حتى **20 كانون الأول/ديسمبر**.\n\n> لا شيء عنا بدوننا.\n\n"
            "1. أرسلوا [ممارسة](https://tidings.example.org/intake/submit/practice).\n2. نؤكدها.\n3. يقرؤها 20,000 قارئ.",
        },
    ),
)

EDITION = Edition(
    issue_id=UUID("0199a000-0000-7000-8000-000000000007"),
    number=7,
    month=Month(year=2026, month=11),
    languages=LANGUAGES,
    subject={
        "en": "Fourteen pledges, and dates for the regional review",
        "fr": "Quatorze engagements, et les dates de l’examen régional",
        "es": "Catorce compromisos y fechas del examen regional",
        "ar": "أربعة عشر تعهدًا، ومواعيد الاستعراض الإقليمي",
        "ru": "Четырнадцать обязательств и даты регионального обзора",
        "zh": "十四项承诺与区域审查日期",
    },
    preheader={
        "en": "Clinics that follow the harvest, a Talk on recruitment without fees, three cities open their schools",
        "fr": "Des cliniques qui suivent la récolte, un dialogue, trois villes",
        "ar": "عيادات تتبع موسم الحصاد، وحوار، وثلاث مدن",
    },
    blocks=BLOCKS,
    public_url=SITE,
)


def of_many_items(count: int) -> Edition:
    """Return the issue with so many items, each in the languages that the sample has."""
    items = [block for block in BLOCKS if isinstance(block, Item)]
    more = tuple(replace(items[number % len(items)], id=f"item-{number}") for number in range(count))
    return replace(EDITION, blocks=(*BLOCKS, *more))
